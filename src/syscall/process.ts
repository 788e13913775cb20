import { readFileSync } from "node:fs";
import { z } from "zod";
import { isSystemError } from "../errors/index.ts";
import { bootId } from "./boot-id.ts";

/** A process, told apart from all that have had its number before it and will have it after. */
export const processIdentity = z.object({
  pid: z.int(),
  /** When it started, in clock ticks after boot. */
  started: z.int(),
  /** Which boot that was. */
  boot: z.string(),
});

export type ProcessIdentity = z.output<typeof processIdentity>;

/**
 * The process that has this number now; `undefined` where there is none, or only what is left of one that has ended.
 */
export function readProcess(pid: number): ProcessIdentity | undefined {
  const stat = readIfShown(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // Its name, in parentheses, may hold anything. Source: proc(5): field 3 is the state, field 22 the time of its start.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return { pid, started: Number(fields[19]), boot: bootId() };
}

export function isSameProcess(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.pid === other.pid && one.started === other.started && one.boot === other.boot;
}

export function isRunning(process: ProcessIdentity): boolean {
  const found = readProcess(process.pid);
  return found !== undefined && isSameProcess(found, process);
}

/** "process 12 (dockerd)" */
export function describeProcess({ pid }: ProcessIdentity): string {
  const name = readIfShown(`/proc/${pid}/comm`)?.trim();
  return `process ${pid}${name === undefined ? "" : ` (${name})`}`;
}

/** `undefined` of a process that is not there, or not shown to this user. */
export function readIfShown(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ESRCH", "EACCES", "EPERM")) return undefined;
    throw error;
  }
}
