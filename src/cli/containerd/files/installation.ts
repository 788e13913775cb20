import { execFile } from "node:child_process";
import { access, constants, readdir, readFile, readlink, realpath } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import { promisify } from "node:util";
import { isSystemError } from "../../../errors/index.ts";

/** A daemon of this machine, as far as this user may see. */
export interface Daemon {
  readonly pid: number;
  /** Its command line. */
  readonly argv: readonly string[];
}

const run = promisify(execFile);
const programFolders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const askDeadlineMs = 5_000;
const maxAnswerBytes = 1 << 22;

/** Where the program of a daemon is; the folders for daemons are looked into, too, which a user's PATH often lacks. */
export async function findProgram(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const folders = [
    ...(env["PATH"] ?? "").split(delimiter).filter((folder) => folder.startsWith("/")),
    ...programFolders,
  ];
  for (const folder of new Set(folders)) {
    const path = join(folder, name);
    if (await isProgram(path)) return path;
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/**
 * What a program prints when it is asked a question, as for its version; `undefined` where it does not run or answer.
 * Costs a process, and at most 5 s.
 */
export async function askProgram(program: string, ...args: readonly string[]): Promise<string | undefined> {
  const answer = await tryProgram(program, args);
  return answer.failure === undefined ? answer.stdout : undefined;
}

/** The same, with what it says when it fails. */
export async function tryProgram(
  program: string,
  args: readonly string[],
): Promise<{ readonly stdout: string; readonly failure: string | undefined }> {
  try {
    const { stdout } = await run(program, args, { timeout: askDeadlineMs, maxBuffer: maxAnswerBytes });
    return { stdout, failure: undefined };
  } catch (error) {
    return { stdout: "", failure: describeFailure(error as ProgramFailure) };
  }
}

interface ProgramFailure extends Error {
  readonly stderr?: string;
  readonly code?: number | string | null;
  readonly killed?: boolean;
  readonly signal?: NodeJS.Signals | null;
}

/** Why a program gave no answer: in its own words, where it has found some. */
function describeFailure({ stderr = "", code, killed, signal, message }: ProgramFailure): string {
  if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return `it says more than ${maxAnswerBytes} bytes`;
  if (killed === true) return `it gives no answer within ${askDeadlineMs / 1000} s`;
  if (stderr.trim() !== "") return stderr.trim();
  if (typeof signal === "string") return `it is ended by ${signal}`;
  return typeof code === "number" ? `it ends with ${code}, and says nothing` : message;
}

/** The release that a program tells as "containerd …/v2 2.1.9+unknown" or "Docker version 28.5.2, build …". */
export function versionIn(text: string): string | undefined {
  return /(?:^|\s)v?(\d+\.\d+\.\d+\S*?)(?=[,\s]|$)/.exec(text)?.[1];
}

/**
 * The daemon `name` that listens on a socket, or whatever program does; only root sees those of others, and none sees
 * those of another network namespace. Costs a look at the descriptors of every process.
 */
export async function findListener(socket: string, name: string): Promise<Daemon | undefined> {
  const inodes = await inodesOf(socket);
  if (inodes.size === 0) return undefined;
  let other: Daemon | undefined;
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry) || !(await holdsOneOf(`/proc/${entry}/fd`, inodes))) continue;
    const daemon = await readDaemon(Number(entry));
    if (basename(daemon?.argv[0] ?? "") === name) return daemon;
    // systemd holds the sockets of the daemons that it starts.
    if (entry !== "1") other ??= daemon;
  }
  return other;
}

/** Sockets that accept connections have the flag 00010000 (`__SO_ACCEPTCON`). */
async function inodesOf(socket: string): Promise<Set<string>> {
  const paths = new Set([socket, await realpath(socket).catch(() => socket)]);
  const rows = (await readFile("/proc/net/unix", "utf8")).split("\n").map((line) => line.trim().split(/\s+/));
  const listening = rows.filter(
    ([, , , flags, , , , path]) => flags === "00010000" && path !== undefined && paths.has(path),
  );
  return new Set(listening.map((row) => `socket:[${row[6]}]`));
}

async function holdsOneOf(folder: string, links: ReadonlySet<string>): Promise<boolean> {
  const descriptors = await ifReadable(readdir(folder));
  for (const descriptor of descriptors ?? []) {
    const link = await ifReadable(readlink(join(folder, descriptor)));
    if (link !== undefined && links.has(link)) return true;
  }
  return false;
}

/** `undefined` where there is no such process, or only the kernel's. */
export async function readDaemon(pid: number): Promise<Daemon | undefined> {
  const line = await ifReadable(readFile(`/proc/${pid}/cmdline`, "utf8"));
  return line === undefined || line === "" ? undefined : { pid, argv: line.replace(/\0$/, "").split("\0") };
}

/** Processes end while they are looked at, and some are not this user's. */
async function ifReadable<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ESRCH", "EACCES", "EPERM")) return undefined;
    throw error;
  }
}

/** The value of an option on a daemon's command line: `--config FILE`, `--config=FILE`. */
export function optionOf(argv: readonly string[], ...flags: readonly string[]): string | undefined {
  for (const [index, word] of argv.entries()) {
    if (flags.includes(word)) return argv[index + 1];
    const flag = flags.find((name) => word.startsWith(`${name}=`));
    if (flag !== undefined) return word.slice(flag.length + 1);
  }
  return undefined;
}
