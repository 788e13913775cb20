/** A program that serves a file system by FUSE: how it is started, found again by another process, and ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import { replaceFile } from "../../files/index.ts";
import {
  isProcessIdentity,
  isRunning,
  type ProcessIdentity,
  punchHoleBehind,
  readIfShown,
  readProcess,
} from "../../syscall/index.ts";
import { fileSystemUsage, isMountPoint } from "../mounting/mount-file-system.ts";
import { runTool } from "../mounting/run-tool.ts";
import { helperPath, toEnding } from "../mounting/run-helper.ts";

/**
 * What is run, in the foreground, with no shell in between. Nothing secret may stand in `args`, which everybody sees.
 */
export interface FuseProgram {
  readonly program: string;
  readonly args: readonly string[];
  /** Seen by root alone. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads first. */
  readonly input?: string | undefined;
}

/** Where it mounts, and the volume's own folder, in which it is noted. */
export interface FusePlace {
  readonly target: string;
  readonly folder: string;
}

/** That one was started. Without a process, whoever started it was killed before it could be noted. */
const noteSchema = z.strictObject({
  version: z.literal(1),
  process: z.custom<ProcessIdentity>(isProcessIdentity).optional(),
});

const noteIn = (folder: string): string => join(folder, "fuse.json");
const logIn = (folder: string): string => join(folder, "fuse.log");

/** By which a process is found that was not noted. */
const mark = "CLEAT_FUSE_TARGET";

/** How much of what a program says is kept while it runs, and read when it fails. */
const maxLogBytes = 64 * 1024;
const maxSaidBytes = 4 * 1024;

/**
 * Starts it, and resolves when what it has mounted answers. It outlives this process, as mounts do: containers run on.
 * @throws UNIMPLEMENTED when there is no such program, and what it said when it ended before.
 * @throws the reason of `signal`; it is killed then.
 */
export async function startFuse(
  { target, folder }: FusePlace,
  { program, args, env, input }: FuseProgram,
  signal: AbortSignal,
): Promise<ProcessIdentity> {
  signal.throwIfAborted();
  await rm(logIn(folder), { force: true });
  await writeNote(folder, undefined);
  const log = openSync(logIn(folder), "a", 0o600);
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      detached: true,
      stdio: [input === undefined ? "ignore" : "pipe", log, log],
      cwd: folder,
      env: { PATH: helperPath, LC_ALL: "C", HOME: folder, ...env, [mark]: target },
    });
  } finally {
    closeSync(log);
  }
  const ended = new Promise<unknown>((resolve) => {
    child.once("error", resolve).once("exit", (status, killed) => resolve(toEnding(status, killed)));
  });
  const end = { has: false, with: undefined as unknown };
  void ended.then((reason) => Object.assign(end, { has: true, with: reason }));
  child.stdin?.on("error", () => {}).end(input);
  child.unref();
  try {
    const identity = child.pid === undefined ? undefined : readProcess(child.pid);
    if (identity !== undefined) await writeNote(folder, identity);
    for (let waitMs = 5; !isMountPoint(target); waitMs = Math.min(waitMs * 2, 100)) {
      if (end.has) throw await failureOf(program, end.with, folder);
      await trimLog(folder);
      await Promise.race([delay(waitMs, undefined, { signal }), ended]);
    }
    await assertAnswers(target, signal).catch(async (error: unknown) => {
      signal.throwIfAborted();
      await Promise.race([delay(endingMs, undefined, { signal }), ended]);
      if (!end.has) throw error;
    });
    if (end.has || identity === undefined) throw await failureOf(program, end.with, folder);
    return identity;
  } catch (error) {
    child.kill("SIGKILL");
    signal.throwIfAborted();
    throw error;
  }
}

/** How long a program takes to end that has failed. */
const endingMs = 2_000;

/**
 * A program mounts before it has asked its server. rclone answers for the folder by itself, and sshfs with a size of
 * its own making until it has one from its server (sshfs 3.7.3 `sshfs.c`, `sshfs_statfs`): so both are asked for. In
 * processes that can be killed: the server may never answer.
 */
async function assertAnswers(target: string, signal: AbortSignal): Promise<void> {
  await runTool("stat", target, { signal });
  await fileSystemUsage(target, { signal });
}

/** The process that serves the volume; `undefined` where none does any more, or it was never noted which. */
export async function findFuse(folder: string): Promise<ProcessIdentity | undefined> {
  const note = await readNote(folder);
  return note?.process !== undefined && isRunning(note.process) ? note.process : undefined;
}

/**
 * Sees to it that no process serves the volume any more, once nothing is mounted: one that ends by itself, having
 * written what it still holds, has `patienceMs` for it.
 */
export async function endFuse({ target, folder }: FusePlace, patienceMs: number, signal: AbortSignal): Promise<void> {
  const note = await readNote(folder);
  if (note === undefined) return;
  if (note.process === undefined) await killMarked(target);
  else {
    const { process: own } = note;
    await waitForEnd(own, patienceMs, signal);
    for (const end of ["SIGTERM", "SIGKILL"] as const) {
      if (!isRunning(own)) break;
      killIfThere(own.pid, end);
      await waitForEnd(own, 2_000, signal);
    }
  }
  await rm(noteIn(folder), { force: true });
}

/**
 * Keeps what a program says from filling the disk; the end of it stays, which tells why it fails. A hole takes the
 * place of the rest: to cut the file would cut off what the program says meanwhile.
 */
export async function trimLog(folder: string): Promise<void> {
  const said = await stat(logIn(folder)).catch(() => undefined);
  if (said === undefined || Math.min(said.size, said.blocks * blockBytes) <= maxLogBytes) return;
  await using log = await open(logIn(folder), "r+");
  try {
    await punchHoleBehind(log.fd, 0, said.size - maxSaidBytes);
  } catch (error) {
    if (!isSystemError(error, "EOPNOTSUPP")) throw error;
    await log.truncate(0);
  }
}

/** Of `st_blocks`: `stat(2)`, man-pages 6.03. */
const blockBytes = 512;

async function waitForEnd(own: ProcessIdentity, patienceMs: number, signal: AbortSignal): Promise<void> {
  const untilMs = performance.now() + patienceMs;
  for (let waitMs = 5; isRunning(own) && performance.now() < untilMs; waitMs = Math.min(waitMs * 2, 100)) {
    await delay(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Those whose starter was killed at once. */
async function killMarked(target: string): Promise<void> {
  const wanted = `${mark}=${target}`;
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const isMarked = readIfShown(`/proc/${name}/environ`)?.split("\0").includes(wanted);
    if (isMarked === true) killIfThere(Number(name), "SIGKILL");
  }
}

function killIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isSystemError(error, "ESRCH")) throw error;
  }
}

async function writeNote(folder: string, own: ProcessIdentity | undefined): Promise<void> {
  const text = JSON.stringify({ version: 1, process: own });
  await replaceFile(noteIn(folder), (file) => file.writeFile(text), { mode: 0o600 });
}

/** One that cannot be read was being written when the machine went down, and no process has outlived that. */
async function readNote(folder: string): Promise<z.output<typeof noteSchema> | undefined> {
  try {
    return noteSchema.parse(JSON.parse(await readFile(noteIn(folder), "utf8")));
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    if (error instanceof SyntaxError || error instanceof z.ZodError) return { version: 1 };
    throw error;
  }
}

async function failureOf(program: string, ending: unknown, folder: string): Promise<CleatError> {
  if (isSystemError(ending, "ENOENT")) return new CleatError("UNIMPLEMENTED", `program "${program}" is not there`);
  if (ending instanceof Error) return toCleatError(ending, `program "${program}"`);
  const said = await readEnd(logIn(folder)).catch(() => "");
  const words = said
    .replaceAll("\0", "")
    .trim()
    .replaceAll(/\s*\n\s*/g, "; ");
  const [, code] = meanings.find(([pattern]) => pattern.test(words)) ?? [/$/, "UNKNOWN"];
  return new CleatError(code, `${program}: ${words === "" ? String(ending) : words}`);
}

/** However much it said. */
async function readEnd(path: string): Promise<string> {
  await using file = await open(path);
  const { size } = await file.stat();
  const { bytesRead, buffer } = await file.read(
    Buffer.alloc(maxSaidBytes),
    0,
    maxSaidBytes,
    Math.max(0, size - maxSaidBytes),
  );
  return buffer.toString("utf8", 0, bytesRead);
}

/** What programs say of servers, in words that all of them share. */
const meanings = [
  [/permission denied|unauthorized|401|403 forbidden/i, "PERMISSION_DENIED"],
  [/host key verification failed/i, "FAILED_PRECONDITION"],
  [/no such file|directory not found|didn't find section/i, "NOT_FOUND"],
  [/refused|timed out|reset by peer|unreachable|could not resolve|no such host/i, "UNAVAILABLE"],
] as const;
