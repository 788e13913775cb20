/** `cleat trace` in the place of a plugin, and what is left of it when either of them is killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { lstat, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { Agent, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const main = join(import.meta.dirname, "../../dist/cli/main.js");

/**
 * Answers each call with its own pid. Takes its socket's path over without a look, as Go's helpers do; or as Cleat
 * does.
 */
const pluginProgram = `
import { createServer } from "node:http";
import { rmSync } from "node:fs";
const [path, how] = process.argv.slice(1);
if (how === "rudely") rmSync(path, { force: true });
const answer = (response) => response.end(String(process.pid));
const server = createServer((request, response) => request.resume().once("end", () => answer(response)));
server.listen(path, () => console.log("listening"));
server.once("error", (error) => { console.log(error.code); process.exit(1); });
`;

let folder: string;
let path: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
  path = join(folder, "docker/plugins/p.sock");
  await mkdir(dirname(path), { recursive: true });
});
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child, "SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

/** Resolves when it has printed something. */
async function start(...args: string[]) {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  const printed = { out: "", err: "" };
  child.stdout.on("data", (bytes) => (printed.out += String(bytes)));
  child.stderr.on("data", (bytes) => (printed.err += String(bytes)));
  await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  return { child, printed };
}
const startPlugin = (how = "politely") => start("--input-type=module", "-e", pluginProgram, path, how);
const startTrace = () => start(main, "trace", path, "--json");

/** Who answers, by pid. */
async function ask(agent?: Agent): Promise<number> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ socketPath: path, path: "/Plugin.Activate", method: "POST", agent }, resolve).once("error", reject).end();
  });
  return Number(await text(response));
}

/** Waits for what others do, which tell nobody. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 120_000; !(await isSo()); await pause(10)) {
    if (Date.now() > deadline) throw new Error("it does not come");
  }
}
const tracedCalls = ({ out }: { out: string }) => out.match(/"method":"Plugin.Activate"/g)?.length ?? 0;
const inodeAt = async () => (await lstat(path).catch(() => undefined))?.ino;

describe("a traced plugin", () => {
  it.each(["SIGKILL", "SIGTERM"] as const)("has its socket back when the trace gets %s", async (signal) => {
    const { child: plugin } = await startPlugin();
    const inode = await inodeAt();
    const agent = new Agent({ keepAlive: true });
    await ask(agent); // an engine that has a connection already
    const { child: trace, printed } = await startTrace();
    expect(await inodeAt()).not.toBe(inode);
    expect(await ask()).toBe(plugin.pid);
    await until(() => tracedCalls(printed) === 1);
    expect(await ask(agent)).toBe(plugin.pid);
    expect(tracedCalls(printed)).toBe(1); // by that connection it goes past the trace
    await kill(trace, signal);
    await until(async () => (await inodeAt()) === inode);
    await until(async () => (await readdir(dirname(path))).length === 1);
    expect(await ask()).toBe(plugin.pid);
    expect(await ask(agent)).toBe(plugin.pid);
    agent.destroy();
  });

  it("can be called at every moment of it", async () => {
    const { child: plugin } = await startPlugin();
    const failures: unknown[] = [];
    const over = new AbortController();
    const calling = (async () => {
      while (!over.signal.aborted) {
        await ask().then(
          (pid) => expect(pid).toBe(plugin.pid),
          (error) => failures.push(error),
        );
      }
    })();
    for (let round = 0; round < 2; round++) await kill((await startTrace()).child, "SIGTERM");
    over.abort();
    await calling;
    expect(failures).toEqual([]);
  });

  it.each(["politely", "rudely"])("is traced again when it was killed and started anew %s", async (how) => {
    const { child: first } = await startPlugin();
    const { child: trace, printed } = await startTrace();
    await kill(first, "SIGKILL");
    await until(() => printed.err.includes("plugin has gone"));
    expect(await inodeAt()).toBeUndefined();
    const { child: second } = await startPlugin(how);
    await until(() => printed.err.includes("traced again"));
    expect(await ask()).toBe(second.pid);
    await until(() => tracedCalls(printed) === 1);
    await kill(trace, "SIGKILL");
    await until(async () => (await readdir(dirname(path))).length === 1);
    expect(await ask()).toBe(second.pid);
  });

  it("that took its place back under the trace is left alone when the trace is killed", async () => {
    await startPlugin();
    const { child: trace } = await startTrace();
    trace.kill("SIGSTOP"); // it sees nothing of this
    const { child: second } = await startPlugin("rudely");
    const inode = await inodeAt();
    await kill(trace, "SIGKILL");
    await until(async () => (await readdir(dirname(path))).length === 1);
    expect(await inodeAt()).toBe(inode);
    expect(await ask()).toBe(second.pid);
  });
});

it("what is left of a trace that was killed with its guardian is put right by the next one", async () => {
  const { child: plugin } = await startPlugin();
  const inode = await inodeAt();
  const { child: trace } = await startTrace();
  const guardian = await guardianOf(trace);
  process.kill(guardian, "SIGKILL");
  await kill(trace, "SIGKILL");
  await expect(ask()).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect((await listed()).err).toContain("a trace in its place was killed: cleat trace p puts it right");
  const { child: next } = await startTrace();
  expect(await ask()).toBe(plugin.pid);
  await kill(next, "SIGTERM");
  expect(await inodeAt()).toBe(inode);
  expect(await readdir(dirname(path))).toEqual(["p.sock"]);
});

/** By a user whose engines look into the folder. */
async function listed() {
  const env = { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder, ROOTLESSKIT_STATE_DIR: "x" };
  const child = spawn(process.execPath, [main, "ls"], { env });
  return { err: await text(child.stderr) };
}

/** Its only child. Source: proc(5). */
async function guardianOf({ pid }: ChildProcess): Promise<number> {
  return Number(await readFile(`/proc/${pid}/task/${pid}/children`, "utf8"));
}
