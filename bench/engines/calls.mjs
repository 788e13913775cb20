/**
 * Times a snapshotter's calls, one after the other. Its only argument is JSON: `socket`, `snapshotter` (its name where
 * the peer is containerd), and `part`: "calls", "fill", "list" or "empty". Prints JSON: microseconds by the call's
 * name.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { createGrpcChannel } from "cleat/grpc";
import { createRemoteSnapshotter } from "cleat/snapshotter";

const { socket, snapshotter: name, part, count, files = 0, from = 0 } = JSON.parse(process.argv[2]);
const atOnce = 16;
const largeCount = 4;
/** Of what an engine that downloads the next layer meanwhile has written. */
const restMs = 1_000;
/** Where the peer is containerd, its collector keeps away. */
const labels = { "containerd.io/gc.root": "2026-01-01T00:00:00Z" };

const channel = createGrpcChannel({ unix: socket });
const metadata = { "containerd-namespace": "bench" };
const snapshotter = createRemoteSnapshotter({
  channel,
  metadata,
  ...(name !== undefined && { snapshotter: name }),
  timeoutMs: 300_000,
});

const parts = { calls, fill, list, empty };
console.log(JSON.stringify(await parts[part]()));
await channel.close();

/**
 * A life of `count` snapshots on a parent of some files, and of a few of `files` files, each of which is committed as
 * soon as these are written, as engines do; after another that is not timed, since this program is slow at first, and
 * that is neither peer's.
 */
async function calls() {
  await live(0);
  return live(files);
}

async function live(fileCount) {
  const run = crypto.randomUUID();
  const times = {};
  const base = `base ${run}`;
  await makeCommitted(base, 100);
  const keys = Array.from({ length: count }, (_, index) => `${run} ${index}`);
  await timeEach(times, "prepare", keys, (key) => snapshotter.prepare(key, { parent: base, labels }));
  await timeEach(times, "stat", keys, (key) => snapshotter.stat(key));
  await timeEach(times, "commit", keys, (key) => snapshotter.commit(`c ${key}`, key, { labels }));
  await timeEach(times, "remove", keys, (key) => snapshotter.remove(`c ${key}`));
  const large = keys.slice(0, largeCount);
  for (const key of large) {
    const unpacked = toUnpackKey(key);
    await fillFiles(await snapshotter.prepare(unpacked, { labels }), fileCount);
    await timeEach(times, "commitFiles", [key], () => snapshotter.commit(`c ${key}`, unpacked, { labels }));
  }
  for (const key of keys.slice(largeCount, 2 * largeCount)) {
    const unpacked = toUnpackKey(key);
    await fillFiles(await snapshotter.prepare(unpacked, { labels }), fileCount);
    await pause(fileCount > 0 ? restMs : 0);
    await timeEach(times, "commitRested", [key], () => snapshotter.commit(`c ${key}`, unpacked, { labels }));
    await snapshotter.remove(`c ${key}`);
  }
  await timeEach(times, "removeFiles", large, (key) => snapshotter.remove(`c ${key}`));
  await snapshotter.remove(base);
  await snapshotter.cleanup().catch(() => undefined);
  return Object.fromEntries(Object.entries(times).map(([call, each]) => [call, figures(each)]));
}

async function timeEach(times, call, keys, work) {
  const each = (times[call] ??= []);
  for (const key of keys) {
    const start = performance.now();
    await work(key);
    each.push((performance.now() - start) * 1_000);
  }
}

function figures(each) {
  const sorted = each.toSorted((a, b) => a - b);
  return { medianUs: sorted[sorted.length >> 1], p99Us: sorted[Math.ceil(sorted.length * 0.99) - 1] };
}

/** As an engine has it that unpacks a layer; containerd puts its namespace and a number before it. */
function toUnpackKey(key) {
  return `${name === undefined ? "bench/1/" : ""}extract-${key}`;
}

async function makeCommitted(key, fileCount) {
  await fillFiles(await snapshotter.prepare(`making ${key}`, { labels }), fileCount);
  await snapshotter.commit(key, `making ${key}`, { labels });
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
