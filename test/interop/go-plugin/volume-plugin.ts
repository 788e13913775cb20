import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";

/** The Go program `server` in a process: a volume plugin that nobody here wrote in TypeScript. Its state dies with it. */
export interface GoVolumePlugin extends AsyncDisposable {
  /** Sends a signal: SIGSTOP and SIGCONT, between which it is as good as hung. */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  /** Kills it, and waits until it is gone; its socket stays behind. */
  kill(): Promise<void>;
}

/** Resolves when it listens on `socket`. */
export async function startGoVolumePlugin(program: string, socket: string): Promise<GoVolumePlugin> {
  const plugin = spawn(program, [socket], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(plugin, "exit");
  const [line] = await Promise.race([once(createInterface(plugin.stdout), "line"), ended]);
  if (line !== "ready") throw new Error(`the Go plugin did not start: it ended with ${String(line)}`);
  const kill = async () => {
    plugin.kill("SIGKILL");
    await ended;
  };
  return {
    signal: (name) => void plugin.kill(name),
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(socket, { force: true });
    },
  };
}
