import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { link, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createGrpcChannel, type GrpcChannel } from "../../src/grpc/index.ts";
import { createRemoteSnapshotter, type Snapshotter } from "../../src/snapshotter/index.ts";

const main = join(import.meta.dirname, "../../dist/cli/main.js");
let folder: string;
let root: string;
let socket: string;
const children: ChildProcess[] = [];
const channels: GrpcChannel[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-serve-"));
  root = join(folder, "snapshots");
  socket = join(folder, "run/cleat/s.sock");
});
afterEach(async () => {
  for (const channel of channels.splice(0)) await channel.close();
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

interface Served {
  readonly child: ChildProcess;
  /** The line of JSON that it prints when it serves; empty where it does not. */
  readonly said: string;
  readonly ended: Promise<unknown[]>;
  readonly stderr: Promise<string>;
}

/** `cleat serve snapshotter` on vfs, which works for every user; `shell` starts it otherwise than plainly. */
async function serve(words: readonly string[] = [], shell = "", fds: readonly number[] = []): Promise<Served> {
  const command = [
    "serve",
    "snapshotter",
    "--driver",
    "vfs",
    "--root",
    root,
    "--json",
    "--log-level",
    "warn",
    ...words,
  ];
  const argv = [process.execPath, main, ...command];
  const child = spawn("sh", ["-c", `${shell} exec "$@"`, "sh", ...argv], { stdio: ["ignore", "pipe", "pipe", ...fds] });
  children.push(child);
  const ended = once(child, "exit");
  const stderr = text(child.stderr as NodeJS.ReadableStream);
  const first = await Promise.race([once(child.stdout as NodeJS.ReadableStream, "data"), ended.then(() => [""])]);
  return { child, said: String(first[0]), ended, stderr };
}

function connect(path = socket): Snapshotter {
  const channel = createGrpcChannel({ unix: path });
  channels.push(channel);
  return createRemoteSnapshotter({ channel, snapshotter: "whatever" });
}

test("a snapshotter is served to root alone, and SIGTERM leaves its snapshots and no socket", async () => {
  const { child, said, ended } = await serve(["--socket", socket]);
  expect(JSON.parse(said)).toMatchObject({ door: "snapshotter", address: `unix://${socket}`, driver: "vfs", root });
  for (const [path, mode] of [
    [root, 0o700],
    [join(folder, "run/cleat"), 0o700],
    [socket, 0o600],
  ] as const) {
    expect(statSync(path).mode & 0o777, path).toBe(mode);
  }
  const snapshotter = connect();
  await snapshotter.prepare("default/1/c", {});
  await snapshotter.commit("default/2/c", "default/1/c", {});
  const startedMs = performance.now();
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]); // though the channel is open
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  expect(existsSync(socket)).toBe(false);

  await serve(["--socket", socket]);
  expect((await connect().stat("default/2/c")).kind).toBe("committed");
});

test("a socket that somebody serves is left alone, as is a root; one that nobody serves is replaced", async () => {
  const first = await serve(["--socket", socket]);
  const again = await serve(["--socket", socket]);
  expect(await again.ended).toEqual([1, null]);
  expect(await again.stderr).toMatch(/another process listens on it/);
  const beside = await serve(["--socket", join(folder, "other.sock")]);
  expect(await beside.ended).toEqual([1, null]);
  expect(await beside.stderr).toMatch(/is being served by another/);
  expect(existsSync(join(folder, "other.sock"))).toBe(false);
  await connect().prepare("a", {});

  first.child.kill("SIGKILL");
  await first.ended;
  expect(existsSync(socket)).toBe(true);
  await serve(["--socket", socket]);
  expect((await connect().stat("a")).kind).toBe("active");
});

test("a socket that another has put in its place is not removed", async () => {
  const { child, ended } = await serve(["--socket", socket]);
  await rm(socket);
  const other = createServer().listen(socket);
  await once(other, "listening");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  expect(existsSync(socket)).toBe(true);
  other.close();
});

test("a home of Docker's door, or of another driver, is refused, and left as it is", async () => {
  await mkdir(join(root, ".cleat"), { recursive: true });
  const record = join(root, ".cleat/driver.json");
  for (const [content, reason] of [
    ['{"version":1,"driver":"vfs"}', /layers of vfs as a graph driver/],
    ['{"version":1,"driver":"overlay2","door":"snapshotter"}', /layers of overlay2/],
  ] as const) {
    await writeFile(record, content);
    const { ended, stderr } = await serve(["--socket", socket]);
    expect(await ended).toEqual([1, null]);
    expect(await stderr).toMatch(reason);
    expect(await readFile(record, "utf8")).toBe(content);
    expect(existsSync(join(root, ".cleat/snapshots"))).toBe(false);
  }
});

test("a socket that systemd holds is served, and stays: calls wait in it for the next process", async () => {
  await mkdir(join(folder, "run"));
  const path = join(folder, "run/held.sock");
  const listener = createServer().listen(join(folder, "bound"));
  await once(listener, "listening");
  await link(join(folder, "bound"), path);
  const { fd } = Reflect.get(listener, "_handle") as { fd: number };
  const asSystemd = "LISTEN_PID=$$ LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS;";
  const first = await serve(["--systemd"], asSystemd, [fd]);
  const second = serve(
    ["--systemd"],
    `while kill -0 ${first.child.pid} 2>/dev/null; do sleep 0.05; done; ${asSystemd}`,
    [fd],
  );
  listener.close(); // or this process would take calls itself
  await connect(path).prepare("a", {});
  first.child.kill("SIGTERM");
  expect(await first.ended).toEqual([0, null]);
  expect(existsSync(path)).toBe(true);
  expect((await connect(path).stat("a")).kind).toBe("active");
  await second;
});

test("options that cannot be meant are refused before anything is made", async () => {
  for (const words of [
    ["--socket", "here"],
    ["--systemd", "--socket", socket],
    ["--durability", "some"],
    ["--opt", "x=1"],
  ]) {
    const { ended } = await serve(words);
    expect(await ended, words.join(" ")).toEqual([2, null]);
  }
  expect(existsSync(root)).toBe(false);
});
