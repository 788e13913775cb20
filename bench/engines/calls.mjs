/**
 * Times a snapshotter's calls, one after the other. Its only argument is JSON: `socket`, `snapshotter` (its name where
 * the peer is containerd), and `part`: "calls", "commits", "fill", "list" or
 * "empty". Prints JSON: microseconds by the call's name.
 */
import { closeSync, openSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { createGrpcChannel } from "cleat/grpc";
import { createRemoteSnapshotter } from "cleat/snapshotter";
import koffi from "koffi";

const { socket, snapshotter: name, part, count, files = 0, from = 0 } = JSON.parse(process.argv[2]);
const atOnce = 16;
const syncedCalls = 30;
/** Of what an engine that downloads the next layer meanwhile has written. */
const restMs = 1_000;
/** Where the peer is containerd, its collector keeps away. */
const labels = { "containerd.io/gc.root": "2026-01-01T00:00:00Z" };

const syncfs = koffi.load("libc.so.6").func("int syncfs(int)");
const channel = createGrpcChannel({ unix: socket });
const metadata = { "containerd-namespace": "bench" };
const snapshotter = createRemoteSnapshotter({
  channel,
  metadata,
  ...(name !== undefined && { snapshotter: name }),
  timeoutMs: 300_000,
});

const parts = { calls, commits, fill, list, empty };
console.log(JSON.stringify(await parts[part]()));
await channel.close();

/**
 * A life of `count` snapshots on a parent of some files, and of some more that are followed by a flush of all; after
 * another that is not timed, since this program is slow at first, and that is neither peer's.
 */
async function calls() {
  await live({});
  const times = {};
  await live(times);
  return toFigures(times);
}

async function live(times) {
  const run = crypto.randomUUID();
  const base = `base ${run}`;
  const keys = Array.from({ length: count }, (_, index) => `${run} ${index}`);
  const mounts = await snapshotter.prepare(`making ${base}`, { labels });
  await fillFiles(mounts, 100);
  await snapshotter.commit(base, `making ${base}`, { labels });
  await timeEach(times, "prepare", keys, (key) => snapshotter.prepare(key, { parent: base, labels }));
  const synced = keys.slice(0, syncedCalls).map((key) => `${key} synced`);
  await timeEach(times, "prepareSynced", synced, async (key) => {
    await snapshotter.prepare(key, { parent: base, labels });
    syncFileSystem(mounts[0].source);
  });
  for (const key of synced) await snapshotter.remove(key);
  await timeEach(times, "stat", keys, (key) => snapshotter.stat(key));
  await timeEach(times, "commit", keys, (key) => snapshotter.commit(`c ${key}`, key, { labels }));
  await timeEach(times, "remove", keys, (key) => snapshotter.remove(`c ${key}`));
  await snapshotter.remove(base);
  await snapshotter.cleanup().catch(() => undefined);
}

/**
 * Layers of `files` files, `count` committed as soon as these are written and `count` a while after, as an engine does
 * that downloads the next; all are removed in the end. What a commit leaves to write is written behind it, and both are
 * timed together, too: whoever flushes nothing is compared so with who has flushed all.
 */
async function commits() {
  await unpack({}, "commit", 0);
  const times = {};
  for (let layer = 0; layer < count; layer++) {
    await unpack(times, "commit", 0);
    await unpack(times, "commitRested", restMs);
  }
  return toFigures(times);
}

async function unpack(times, call, waitMs) {
  const key = crypto.randomUUID();
  // As an engine names it; containerd puts its namespace and a number before it.
  const unpacked = `${name === undefined ? "bench/1/" : ""}extract-${key}`;
  const mounts = await snapshotter.prepare(unpacked, { labels });
  await fillFiles(mounts, files);
  await pause(waitMs);
  const start = performance.now();
  await snapshotter.commit(`c ${key}`, unpacked, { labels });
  note(times, call, start);
  syncFileSystem(mounts[0].source);
  note(times, `${call}Synced`, start);
  await timeEach(times, "remove", [`c ${key}`], (committed) => snapshotter.remove(committed));
  await snapshotter.cleanup().catch(() => undefined);
}

/** As `sync --file-system` does, without the start of a program. */
function syncFileSystem(path) {
  const folder = openSync(path, "r");
  if (syncfs(folder) !== 0) throw new Error(`the file system of ${path} cannot be flushed`);
  closeSync(folder);
}

async function timeEach(times, call, keys, work) {
  for (const key of keys) {
    const start = performance.now();
    await work(key);
    note(times, call, start);
  }
}

function note(times, call, start) {
  (times[call] ??= []).push((performance.now() - start) * 1_000);
}

function toFigures(times) {
  return Object.fromEntries(Object.entries(times).map(([call, each]) => [call, figures(each)]));
}

function figures(each) {
  const sorted = each.toSorted((a, b) => a - b);
  return { medianUs: sorted[sorted.length >> 1], p99Us: sorted[Math.ceil(sorted.length * 0.99) - 1] };
}

/** A snapshot without parent is a bind mount, whose source can be written to as it is. */
async function fillFiles([{ type, source }], fileCount) {
  if (type !== "bind") throw new Error(`a first layer is mounted as ${type}`);
  for (let file = 0; file < fileCount; file++) {
    const folder = `${source}/folder-${Math.floor(file / 50)}`;
    if (file % 50 === 0) await mkdir(folder);
    await writeFile(`${folder}/file-${file}`, "some bytes\n");
  }
}

function filled(index) {
  return `filled ${index}`;
}

/** Makes snapshots until there are `count` where there were `from`, and leaves them. */
async function fill() {
  let next = from;
  const worker = async () => {
    while (next < count) await snapshotter.prepare(filled(next++), { labels });
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return {};
}

async function list() {
  const start = performance.now();
  let seen = 0;
  for await (const info of snapshotter.list()) if (info.name.includes("filled")) seen++;
  if (seen !== count) throw new Error(`${seen} of ${count} were listed`);
  return { listUs: (performance.now() - start) * 1_000 };
}

/** Removes what `fill` has left. */
async function empty() {
  for (let index = 0; index < count; index++) await snapshotter.remove(filled(index));
  return {};
}
