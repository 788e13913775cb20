import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Connection } from "../../protocol/index.ts";
import { descriptorOf } from "../../transport/index.ts";
import { createOneEngine } from "./one-engine.ts";

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
  for (const connection of first.connections) engine.assert(connection);
  const { pid } = first.child;
  for (const connection of second.connections) {
    expect(() => engine.assert(connection)).toThrow(`these are the snapshots of process ${pid} (node)`);
  }
  await end(first.child);
  for (const connection of second.connections) engine.assert(connection);
});

it("is anybody where the kernel does not tell", () => {
  const engine = createOneEngine();
  engine.assert(undefined);
  engine.assert({ descriptor: undefined });
});
