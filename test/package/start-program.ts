import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { until } from "../harness/processes/until.ts";

/** A plugin's program, once it listens on the socket that is its first argument. */
export async function startProgram(args: readonly [program: string, socket: string, ...rest: string[]], cwd: string) {
  const program = spawn(process.execPath, args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(program, "exit");
  let stderr = "";
  program.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  await until(`${args[0]} to listen`, async () => {
    if (program.exitCode !== null) throw new Error(`${args[0]} ended: ${stderr}`);
    return existsSync(args[1]) || undefined;
  });
  return {
    stderr: () => stderr,
    async kill() {
      program.kill("SIGKILL");
      await ended;
    },
    async [Symbol.asyncDispose]() {
      program.kill("SIGTERM");
      await ended;
    },
  };
}
