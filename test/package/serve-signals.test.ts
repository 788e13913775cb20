/** What a signal leaves of a command that serves, whenever it comes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, linkSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createGrpcChannel } from "../../src/grpc/index.ts";
import { createRemoteSnapshotter } from "../../src/snapshotter/index.ts";

const main = join(import.meta.dirname, "../../dist/cli/main.js");
let folder: string;
const children: ChildProcess[] = [];

beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "cleat-signals-"))));
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

const root = () => join(folder, "root");
const socket = () => join(folder, "run/cleat/s.sock");

function start(command: readonly string[]) {
  const child = spawn(process.execPath, [main, ...command, "--log-level", "warn"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return { child, ended: once(child, "exit") };
}

const snapshotter = () => ["serve", "snapshotter", "--driver", "vfs", "--root", root(), "--socket", socket()];
/** What mounts to see what it can do; only root may. */
const overlay = () => snapshotter().map((word) => (word === "vfs" && process.geteuid?.() === 0 ? "overlay2" : word));
const graph = () => ["serve", "graph", "--driver", "vfs", "--root", root(), "--home", root(), "--socket", socket()];

/** Mounts below the folder, and processes that were told of it. */
function leftBehind(): string[] {
  const mounted = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((row) => row.includes(folder));
  const commands = readdirSync("/proc").flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? [readFileSync(`/proc/${name}/cmdline`, "utf8")] : [];
    } catch {
      return []; // it has ended
    }
  });
  return [...mounted, ...commands.filter((command) => command.includes(folder))];
}

async function untilThere(path: string, child: ChildProcess): Promise<void> {
  while (!existsSync(path) && child.exitCode === null && child.signalCode === null) await delay(1);
}

test.each([
  ["a snapshotter, when its root appears", snapshotter, root],
  ["a snapshotter, when its home is locked", snapshotter, () => join(root(), ".cleat/lock")],
  ["a snapshotter, when its records are locked", snapshotter, () => join(root(), ".cleat/snapshots/lock")],
  ["a snapshotter, when its socket appears", snapshotter, socket],
  ["a snapshotter that tries mounts", overlay, () => join(root(), ".cleat/lock")],
  ["a graph driver, when its socket appears", graph, socket],
])("SIGTERM ends %s, and leaves no socket, no lock, no mount and no process", async (_what, command, path) => {
  for (let times = 0; times < 3; times++) {
    await rm(root(), { recursive: true, force: true });
    const { child, ended } = start(command());
    await untilThere(path(), child);
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(existsSync(socket())).toBe(false);
    expect(leftBehind()).toEqual([]);
  }
  const again = start(command());
  await once(again.child.stdout as NodeJS.ReadableStream, "data");
  expect(leftBehind()).toHaveLength(1);
});

test("SIGTERM does not wait for the files of removed snapshots, which the next start deletes", async () => {
  // Removed by its record alone at first, then out of the store, then deleted.
  const left = () => [".cleat/trash", "dir"].flatMap((name) => readdirSync(join(root(), name)));
  const first = start(snapshotter());
  await once(first.child.stdout as NodeJS.ReadableStream, "data");
  const channel = createGrpcChannel({ unix: socket() });
  const remote = createRemoteSnapshotter({ channel, snapshotter: "cleat" });
  const [mount] = await remote.prepare("large", {});
  for (const name of "ab") {
    const file = join(mount?.source ?? "", name);
    writeFileSync(file, "");
    for (let count = 0; count < 50_000; count++) linkSync(file, `${file}${count}`);
  }
  await remote.remove("large");
  const startedMs = performance.now();
  first.child.kill("SIGTERM");
  expect(await first.ended).toEqual([0, null]);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  await channel.close();
  expect(left()).not.toEqual([]);

  const second = start(snapshotter());
  await once(second.child.stdout as NodeJS.ReadableStream, "data");
  while (left().length > 0) await delay(1);
});
