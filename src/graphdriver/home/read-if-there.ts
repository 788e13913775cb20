import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { isSystemError } from "../../errors/index.ts";

/** Records are small: a `lower` of 500 layers takes 14,499 bytes, the counts of ten thousand layers less than this. */
export const maxRecordBytes = 1 << 20;

/**
 * The text of a small file of a store; `undefined` where none is, and empty where something else has its name, as more
 * than 1 MiB. Nothing is waited for, as a FIFO would have it.
 */
export function readIfThere(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
    if (isSystemError(error, "ENXIO", "ELOOP")) return ""; // a socket, a symlink to itself
    throw error;
  }
  try {
    const status = fstatSync(descriptor);
    return status.isFile() && status.size <= maxRecordBytes ? readFileSync(descriptor, "utf8") : "";
  } finally {
    closeSync(descriptor);
  }
}
