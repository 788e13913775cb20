import { readFileSync } from "node:fs";
import { isSystemError } from "../../errors/index.ts";

/**
 * The number, as `/proc/self/mountinfo` has it, of the mount that an open file is on; `undefined` where `/proc` does
 * not tell (before Linux 3.15, or hidden). Source: proc(5), `/proc/pid/fdinfo`.
 */
export function mountNumberOf(descriptor: number): number | undefined {
  try {
    const [, number] = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1")) ?? [];
    return number === undefined ? undefined : Number(number);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "EACCES")) return undefined;
    throw error;
  }
}
