import { getSystemErrorMap } from "node:util";
import { onOneLine } from "./quote.ts";

const systemErrors = getSystemErrorMap();

/**
 * A failed system call, shaped like Node's own system errors so that code written for `node:fs` reads it: `errno` is
 * negative, `code` is the errno's name ("ENOENT"). It is not a `CleatError`, whose codes come from another table;
 * `toCleatError` translates where it leaves the process.
 */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly errno: number;
  readonly code: string;
  readonly syscall: string;
  readonly path: string | undefined;

  /** `errno` is the kernel's positive number. */
  constructor(errno: number, syscall: string, path?: string | Uint8Array) {
    const [code, text] = linuxErrors[errno] ?? systemErrors.get(-errno) ?? [`E${errno}`, "unknown error"];
    const shown = path === undefined || typeof path === "string" ? path : Buffer.from(path).toString();
    super(`${code}: ${text}, ${syscall}${shown === undefined ? "" : ` '${onOneLine(shown)}'`}`);
    this.errno = -errno;
    this.code = code;
    this.syscall = syscall;
    this.path = shown;
  }
}

/** Errors of Linux that libuv's table lacks, or tells of sockets only. Source: `asm-generic/errno.h`, Linux v6.1. */
const linuxErrors: Record<number, readonly [string, string]> = {
  34: ["ERANGE", "numerical result out of range"],
  35: ["EDEADLK", "resource deadlock avoided"],
  37: ["ENOLCK", "no locks available"],
  61: ["ENODATA", "no data available"],
  116: ["ESTALE", "stale file handle"],
  95: ["ENOTSUP", "operation not supported"],
  117: ["EUCLEAN", "structure needs cleaning"],
  122: ["EDQUOT", "disk quota exceeded"],
};

/** Whether a disk or a quota is full. By number: Node has no name for the errno of a quota. */
export function isDiskFull(error: unknown): boolean {
  return isSystemError(error) && (error.errno === -28 || error.errno === -122);
}

/** Whether `error` is a system error, Node's or ours, of one of `codes` (of any code when none is given). */
export function isSystemError(error: unknown, ...codes: string[]): error is SystemError {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return false;
  return codes.length === 0 || codes.includes(error.code as string);
}
