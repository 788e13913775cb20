import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { until } from "./until.ts";

/** A process in a namespace that runs until it is told to end. Its output goes to a file. */
export interface Daemon {
  /** As the host sees it, not as the namespace does. */
  readonly pid: number;
  readonly logPath: string;
  hasEnded(): boolean;
  /** Sends a signal and waits until the process is gone. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

const endDeadlineMs = 120_000;
const logTailBytes = 4000;

/** Starts `argv` by way of `enter`, a command that enters a namespace, forks there and waits for its child. */
export async function startDaemon(
  enter: readonly string[],
  argv: readonly string[],
  options: { readonly logPath: string; readonly env: NodeJS.ProcessEnv },
): Promise<Daemon> {
  const { logPath, env } = options;
  await using log = await open(logPath, "a");
  const [command = "", ...args] = [...enter, ...argv];
  const outer = spawn(command, args, { stdio: ["ignore", log.fd, log.fd], env });
  await once(outer, "spawn");
  const hasEnded = () => outer.exitCode !== null || outer.signalCode !== null;
  const pid = await until(`${argv[0]} to start`, async () => (hasEnded() ? outer.pid : childOf(outer.pid)));
  return {
    pid,
    logPath,
    hasEnded,
    async end(signal) {
      if (hasEnded()) return;
      const ended = once(outer, "exit", { signal: AbortSignal.timeout(endDeadlineMs) });
      process.kill(pid, signal);
      await ended;
    },
  };
}

/**
 * Waits for `probe` to answer true; a daemon that ends before, or takes too long, is an error with the end of its log.
 */
export async function untilReady(daemon: Daemon, what: string, probe: () => Promise<boolean>) {
  const ready = until(what, async () => {
    if (daemon.hasEnded()) throw new Error(`${what}: it ended`);
    return (await probe()) || undefined;
  });
  await ready.catch(async ({ message }: Error) => {
    throw new Error(`${message}; its log ends:\n${await logTail(daemon)}`);
  });
}

export async function logTail({ logPath }: Pick<Daemon, "logPath">): Promise<string> {
  const lines = (await readFile(logPath, "utf8")).split("\n");
  // dockerd tells each step of its start; what went wrong is between.
  return lines
    .filter((line) => !line.includes("level=info"))
    .join("\n")
    .slice(-logTailBytes);
}

async function childOf(pid: number | undefined): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return Number(children.trim().split(" ")[0]) || undefined;
}
