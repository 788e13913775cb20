import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** What became of the calls of the Go program `client`; see there. */
export interface GoClientOutcome {
  readonly Answered: readonly string[];
  readonly Refused: number;
  readonly Broken: readonly { readonly Name: string; readonly Error: string }[];
  readonly Connections: number;
}

const timeoutMs = 120_000;
const maxBuffer = 16 * 1024 * 1024;

/** Calls `VolumeDriver.Path` at `socket` up to `calls` times, with `callers` at once. */
export async function runGoClient(
  program: string,
  socket: string,
  { calls, callers }: { readonly calls: number; readonly callers: number },
): Promise<GoClientOutcome> {
  const args = [socket, String(calls), String(callers)];
  const { stdout } = await promisify(execFile)(program, args, { timeout: timeoutMs, maxBuffer });
  return JSON.parse(stdout) as GoClientOutcome;
}
