/** What the kernel says of real processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { descriptorOf } from "../../../transport/index.ts";
import { createCallers } from "./callers.ts";
import { describeProcess, isRunning, readProcess } from "../../../syscall/index.ts";

let folder: string;
let path: string;
let server: Server;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
  path = join(folder, "s");
  server = createServer().listen(path);
  await once(server, "listening");
});
afterEach(async () => {
  for (const child of children.splice(0)) await end(child);
  server.close();
  await rm(folder, { recursive: true });
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** A process that has connected, and the server's end of it. */
async function connected(): Promise<{ child: ChildProcess; socket: Socket }> {
  const child = spawn(process.execPath, ["-e", `require("node:net").connect(${JSON.stringify(path)})`]);
  children.push(child);
  const [socket] = (await once(server, "connection")) as [Socket];
  socket.on("error", () => {});
  return { child, socket };
}

const connectionOn = (socket: Socket) => ({
  get descriptor() {
    return descriptorOf(socket);
  },
});

describe("who calls", () => {
  it("is the process that connected, as long as it lives", async () => {
    const callers = createCallers();
    const { child, socket } = await connected();
    const found = callers.processOf(connectionOn(socket));
    expect(found).toEqual(readProcess(child.pid as number));
    expect(found?.pid).toBe(child.pid);
    if (found === undefined) return;
    expect(callers.isRunning(found)).toBe(true);
    expect(describeProcess(found)).toMatch(new RegExp(`^process ${child.pid} \\(.+\\)$`));
    await end(child);
    expect(callers.isRunning(found)).toBe(false);
    expect(describeProcess(found)).toBe(`process ${child.pid}`);
    socket.destroy();
  });

  it("is not found out any more once the process is dead, or the connection closed", async () => {
    const { child, socket } = await connected();
    const connection = connectionOn(socket);
    socket.pause();
    await end(child);
    const gone = expect.objectContaining({ code: "CANCELLED", message: "the process that called has ended" });
    expect(() => createCallers().processOf(connection)).toThrow(gone);
    socket.destroy();
    expect(() => createCallers().processOf(connection)).toThrow(gone);
  });

  it("is not known over TCP", async () => {
    const tcp = createServer().listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const { port } = tcp.address() as { port: number };
    const accepted = once(tcp, "connection") as Promise<[Socket]>;
    const client = spawn(process.execPath, ["-e", `require("node:net").connect(${port}, "127.0.0.1")`]);
    children.push(client);
    const [socket] = await accepted;
    expect(createCallers().processOf(connectionOn(socket))).toBeUndefined();
    socket.destroy();
    tcp.close();
  });

  it("tells who listens", async () => {
    expect(await createCallers().listenerOn(path)).toBe(process.pid);
    expect(await createCallers().listenerOn(join(folder, "nobody"))).toBeUndefined();
  });
});

describe("a process", () => {
  it("is another one than a later one of its number", () => {
    const own = readProcess(process.pid);
    if (own === undefined) throw new Error("this process is not there");
    expect(isRunning(own)).toBe(true);
    expect(isRunning({ ...own, started: own.started - 1 })).toBe(false);
    expect(isRunning({ ...own, boot: "an earlier one" })).toBe(false);
  });

  it("that has ended and whose parent has not asked yet does not run", async () => {
    // bash asks for no child while it is stopped.
    const parent = spawn("bash", ["-c", "sleep 60 & echo $!; kill -STOP $$; wait"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    children.push(parent);
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    const found = readProcess(pid);
    expect(found?.pid).toBe(pid);
    process.kill(pid, "SIGKILL");
    const deadline = performance.now() + 10_000;
    while (readProcess(pid) !== undefined && performance.now() < deadline) await nextTurn();
    expect(found && isRunning(found)).toBe(false);
  });
});
