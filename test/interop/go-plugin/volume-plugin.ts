import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { until } from "../../harness/processes/until.ts";

/**
 * The Go program `server` in a process: a volume plugin that nobody here wrote in TypeScript. Its state dies with it.
 */
export interface GoVolumePlugin extends AsyncDisposable {
  /** Stops it: from here on it is as good as hung. */
  stop(): Promise<void>;
  continue(): void;
  /** Kills it, and waits until it is gone; its socket stays behind. */
  kill(): Promise<void>;
}

/** Resolves when it listens on `socket`; `kind` is which of several, where the program is several. */
export async function startGoVolumePlugin(
  program: string,
  socket: string,
  ...kind: readonly string[]
): Promise<GoVolumePlugin> {
  const plugin = spawn(program, [...kind, socket], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(plugin, "exit");
  const [line] = await Promise.race([once(createInterface(plugin.stdout), "line"), ended]);
  if (line !== "ready") throw new Error(`the Go plugin did not start: it ended with ${String(line)}`);
  const kill = async () => {
    plugin.kill("SIGKILL");
    await ended;
  };
  return {
    async stop() {
      plugin.kill("SIGSTOP");
      await until("the Go plugin to stop", async () => (await isStopped(plugin.pid)) || undefined);
    },
    continue: () => void plugin.kill("SIGCONT"),
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(socket, { force: true });
    },
  };
}

/** Each of its threads stops by itself. Source: proc(5). */
async function isStopped(pid: number | undefined): Promise<boolean> {
  return /^State:\s+T/m.test(await readFile(`/proc/${pid}/status`, "utf8"));
}
