import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { CleatError, quoteText, toCleatError } from "../../../errors/index.ts";

export interface StartedPlugin extends AsyncDisposable {
  /** Ends its process group by SIGKILL, and starts it anew. Resolves when it answers. */
  killAndRestart(): Promise<void>;
}

export interface StartOptions {
  readonly command: readonly [program: string, ...args: string[]];
  /** The plugin's address, as its user says it. */
  readonly address: string;
  /** Resolves as soon as the plugin answers; rejects where it does not yet. */
  answers(): Promise<unknown>;
  /** How long a process may take until it answers. */
  readonly patienceMs: number;
  /** Told what the plugin prints. */
  onOutput(text: string): void;
}

/** Between two tries. */
const pauseMs = 50;

/**
 * Starts a plugin's own command, without a shell, in a process group of its own.
 * @throws FAILED_PRECONDITION when one answers already: it would be checked in its place, and never be killed.
 * @throws UNAVAILABLE when it cannot be started, ends, or does not answer in time.
 */
export async function startPlugin(options: StartOptions): Promise<StartedPlugin> {
  let child = await startOnce(options);
  return {
    async killAndRestart() {
      await kill(child);
      child = await startOnce(options);
    },
    [Symbol.asyncDispose]: () => kill(child),
  };
}

async function startOnce({ command, address, answers, patienceMs, onOutput }: StartOptions): Promise<ChildProcess> {
  const [program, ...args] = command;
  const isThere = await answers().then(
    () => true,
    () => false,
  );
  if (isThere) {
    const message = `a plugin answers at ${quoteText(address)} already, which --restart cannot kill: end it first`;
    throw new CleatError("FAILED_PRECONDITION", message);
  }
  const child = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.on("data", (chunk) => onOutput(String(chunk)));
  child.stderr.on("data", (chunk) => onOutput(String(chunk)));
  const failed = once(child, "error").then(([error]) => toCleatError(error, `"${program}"`).message);
  const ended = once(child, "exit").then(([code, signal]) => `it ended with ${String(code ?? signal)}`);
  ended.catch(() => {}); // of one that never ran, which `failed` tells
  const untilMs = performance.now() + patienceMs;
  let problem: string | undefined;
  for (;;) {
    const answer = answers().then(
      () => "answers" as const,
      async (error: unknown) => {
        problem = toCleatError(error).message;
        await delay(pauseMs);
      },
    );
    const outcome = await Promise.race([answer, failed, ended.catch(() => failed)]);
    if (outcome === "answers") return child;
    if (outcome === undefined && performance.now() < untilMs) continue;
    await kill(child);
    const reason = outcome ?? `it did not answer within ${patienceMs / 1000} s: ${problem}`;
    throw new CleatError("UNAVAILABLE", `the plugin that "${program}" starts is not there: ${reason}`);
  }
}

/** With what it has started, unless that has left its group. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL"); // it has no group of its own yet
  }
  await ended;
}
