import type { ErrorCode } from "./codes.ts";

export interface CleatErrorOptions {
  /** What made this error happen; printed by Node under "[cause]". */
  readonly cause?: unknown;
}

/**
 * The base of every error that Cleat raises on purpose. The message starts in lower case, names its subject first and
 * quotes the values; `code` is what programs look at.
 */
export class CleatError extends Error {
  override readonly name: string = "CleatError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options: CleatErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}
