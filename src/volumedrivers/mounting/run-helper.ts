import { spawn } from "node:child_process";
import { CleatError, toCleatError } from "../../errors/index.ts";

export interface HelperOptions {
  /** Kills the program (SIGKILL) when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Exit codes, beside 0, that are no failure. */
  readonly accepts?: readonly number[];
  /** What the program reads. */
  readonly input?: string | Uint8Array;
  /** On top of `PATH`; where secrets go, which would be seen by everybody among the arguments. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How much of what a program says is kept. */
const maxOutputBytes = 64 * 1024;
/** How much of why it fails, from the end, is for a message. */
const maxToldCharacters = 4 * 1024;

/** Also where a service has none, and where root's programs are for users. */
export const helperPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Runs a program, which is a process that can be killed, with no shell in between; resolves to what it said on standard
 * output. A process that the kernel does not let die (a disk, a server that is gone) is left behind: its caller waits
 * no longer than its signal says.
 * @throws UNIMPLEMENTED when there is no such program, UNKNOWN with what it said when it failed, RESOURCE_EXHAUSTED
 *   when that is that a disk is full.
 * @throws the reason of `signal`.
 */
export async function runHelper(
  program: string,
  args: readonly string[],
  { signal, accepts = [], input, env }: HelperOptions = {},
): Promise<string> {
  signal?.throwIfAborted();
  const child = spawn(program, args, {
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    env: { PATH: helperPath, LC_ALL: "C", ...env },
  });
  const said = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    if (said.stdout.length < maxOutputBytes) said.stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said.stderr = (said.stderr + text).slice(-maxToldCharacters);
  });
  child.stdin?.on("error", () => {}).end(input); // a program that has ended reads no more
  return new Promise<string>((resolve, reject) => {
    const giveUp = () => {
      child.kill("SIGKILL");
      child.unref();
      for (const stream of [child.stdout, child.stderr]) stream?.destroy();
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", giveUp, { once: true });
    child.once("error", (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener("abort", giveUp);
      const isMissing = error.code === "ENOENT";
      reject(
        isMissing
          ? new CleatError("UNIMPLEMENTED", `program "${program}" is not there`)
          : toCleatError(error, `program "${program}"`),
      );
    });
    child.once("close", (status, killed) => {
      signal?.removeEventListener("abort", giveUp);
      if (status === 0 || (status !== null && accepts.includes(status))) return resolve(said.stdout);
      const words = said.stderr.trim().replaceAll(/\s*\n\s*/g, "; ") || `${program} ${toEnding(status, killed)}`;
      const code = isFull.test(words) ? "RESOURCE_EXHAUSTED" : "UNKNOWN";
      reject(new CleatError(code, words.startsWith(program) ? words : `${program}: ${words}`));
    });
  });
}

/** ENOSPC and EDQUOT, as programs say them without a locale. */
const isFull = /No space left on device|Disk quota exceeded/;

/** How a program that says nothing has ended. */
export function toEnding(status: number | null, killed: string | null): string {
  return killed === null ? `ended with status ${status}` : `was killed by ${killed}`;
}
