import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "../../protocol/index.ts";
import { descriptorOf } from "../../transport/index.ts";
import { createSimulatedDisk } from "../../state/journal/simulated-disk.test.support.ts";
import { createMemoryStorage, createPlaces } from "../conformance/memory-storage.test.support.ts";
import { openOverFiles } from "../store/open-snapshotter.ts";
import { createOneEngine } from "./one-engine.ts";
import { createSnapshotsService } from "./serve-snapshots.ts";

let folder: string;
let server: Server;
let children: ChildProcess[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-engine-"));
  server = createServer().listen(join(folder, "s.sock"));
  children = [];
  await once(server, "listening");
});
afterEach(async () => {
  for (const child of children) await end(child);
  server.close();
  await rm(folder, { recursive: true });
});

/** What grpc-go sends of itself. */
const engines = { "user-agent": "containerd-client/1 grpc-go/1.50.1" };

/** A process that connects twice. */
async function startEngine(): Promise<{ readonly child: ChildProcess; readonly connections: Connection[] }> {
  const connect = "for (const _ of [1, 2]) require('node:net').connect(process.argv[1]).resume()";
  const child = spawn(process.execPath, ["-e", connect, join(folder, "s.sock")], { stdio: "ignore" });
  children.push(child);
  const connections: Connection[] = [];
  while (connections.length < 2) {
    const [socket] = (await once(server, "connection")) as [Socket];
    connections.push({ descriptor: descriptorOf(socket.on("error", () => {})) });
  }
  return { child, connections };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

it("is the process that calls first, on all of its connections, until it has ended", async () => {
  const first = await startEngine();
  const second = await startEngine();
  const engine = createOneEngine();
  for (const connection of first.connections) await engine.assert({ connection, metadata: engines });
  const { pid } = first.child;
  for (const connection of second.connections) {
    await expect(engine.assert({ connection, metadata: engines })).rejects.toThrow(
      `these are the snapshots of process ${pid} (`,
    );
  }
  await end(first.child);
  for (const connection of second.connections) await engine.assert({ connection, metadata: engines });
});

describe("once Cleat is started again", () => {
  const call = ({ connections: [connection] }: { readonly connections: readonly Connection[] }) => ({
    connection,
    metadata: engines,
  });
  let file: string;
  beforeEach(() => {
    file = join(folder, "served-to.json");
  });

  it("is still the first, until that has ended", async () => {
    const [first, second] = [await startEngine(), await startEngine()];
    await createOneEngine({ file }).assert(call(first));
    await expect(createOneEngine({ file }).assert(call(second))).rejects.toThrow("these are the snapshots of process");
    await createOneEngine({ file }).assert(call(first));
    await end(first.child);
    const restarted = createOneEngine({ file });
    await restarted.assert(call(second));
    const third = await startEngine();
    await expect(createOneEngine({ file }).assert(call(third))).rejects.toThrow(`process ${second.child.pid}`);
  });

  it.each([
    ["after a start of the machine, whoever has the number of the first now", { boot: "another" }],
    ["where another process has the number of the first now", { started: 1 }],
    ["where no process is shown under the number of the first, as in another PID namespace", { pid: 2 ** 30 }],
  ])("is the next %s", async (_, other) => {
    const [first, second] = [await startEngine(), await startEngine()];
    await createOneEngine({ file }).assert(call(first));
    const { engine } = JSON.parse(await readFile(file, "utf8")) as { engine: object };
    await writeFile(file, JSON.stringify({ version: 1, engine: { ...engine, ...other } }));
    await createOneEngine({ file }).assert(call(second));
    expect(await readFile(file, "utf8")).toContain(`"pid":${second.child.pid}`);
  });

  it("is the next where a folder is in the way, and is told from others all the same", async () => {
    await mkdir(file);
    const [first, second] = [await startEngine(), await startEngine()];
    const engine = createOneEngine({ file });
    await engine.assert(call(first));
    await expect(engine.assert(call(second))).rejects.toThrow("these are the snapshots of process");
  });

  it.each([
    ["cannot be read", "{"],
    ["a later version has written", '{"version": 2, "engines": []}'],
  ])("is the next where what is kept %s", async (_, text) => {
    await writeFile(file, text);
    const [first, second] = [await startEngine(), await startEngine()];
    const engine = createOneEngine({ file });
    await engine.assert(call(first));
    await expect(engine.assert(call(second))).rejects.toThrow("these are the snapshots of process");
  });

  it("is the next where it could not be kept, and is served", async () => {
    const engine = createOneEngine({ file: join(folder, "none", "served-to.json") });
    await engine.assert(call(await startEngine()));
  });
});

it("is anybody where the kernel does not tell", async () => {
  const engine = createOneEngine();
  await engine.assert({ connection: undefined, metadata: engines });
  await engine.assert({ connection: { descriptor: undefined }, metadata: engines });
});

it("is none that has no collector, and such a client is not refused", async () => {
  const [operator, first, second] = [await startEngine(), await startEngine(), await startEngine()];
  const engine = createOneEngine();
  const assertOf = ({ connections: [connection] }: typeof first, metadata: Readonly<Record<string, string>>) =>
    engine.assert({ connection, metadata });
  await assertOf(operator, { "user-agent": "grpc-node-js/1.14.0" });
  await assertOf(first, engines);
  await assertOf(operator, {});
  await expect(assertOf(second, engines)).rejects.toThrow("these are the snapshots of process");
});

it("is none that is refused for its name", async () => {
  const [stranger, owner] = [await startEngine(), await startEngine()];
  const snapshotter = await openOverFiles(createSimulatedDisk(), createMemoryStorage(createPlaces()));
  await snapshotter.prepare("kept", {});
  const file = join(folder, "served-as.json");
  await writeFile(file, '{"version": 1, "snapshotter": "cleat"}');
  const { implementation } = createSnapshotsService(snapshotter, { file });
  const prepare = async ({ connections }: typeof owner, name: string): Promise<unknown> => {
    const request = { snapshotter: name, key: name, parent: "", labels: {} };
    return implementation["prepare"]?.(request as never, { connection: connections[0], metadata: engines } as never);
  };
  await expect(prepare(stranger, "other")).rejects.toThrow('these are the snapshots of "cleat"');
  await prepare(owner, "cleat");
  await expect(prepare(stranger, "cleat")).rejects.toThrow("these are the snapshots of process");
  await snapshotter.close();
});
