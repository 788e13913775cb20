import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { isSystemError } from "../../errors/index.ts";

/**
 * The text of a small file of a store; `undefined` where none is, and empty where something else has its name. Nothing is waited
 * for, as a FIFO would have it.
 */
export function readIfThere(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
    if (isSystemError(error, "ENXIO")) return ""; // a socket
    throw error;
  }
  try {
    return fstatSync(descriptor).isFile() ? readFileSync(descriptor, "utf8") : "";
  } finally {
    closeSync(descriptor);
  }
}
