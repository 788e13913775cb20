import { CleatError, type CleatErrorOptions } from "./cleat-error.ts";

/**
 * What is in the way, and so what a user can do about it: this kernel or build has it not; it would have, once a
 * program, a module or privileges are there; or another file system must be under the folder. Source: moby v20.10.24
 * `daemon/graphdriver/errors.go`, `ErrNotSupported`, `ErrPrerequisites`, `ErrIncompatibleFS`.
 */
export const unsupportedReasons = {
  "not-supported": "not supported",
  prerequisites: "prerequisites not satisfied",
  "incompatible-file-system": "backing file system unsupported",
} as const;

export type UnsupportedReason = keyof typeof unsupportedReasons;

/** What a driver needs from the kernel or a file system, how that was probed and what the probe saw. */
export interface MissingAbility {
  /** Default `not-supported`. */
  readonly reason?: UnsupportedReason;
  readonly needed: string;
  readonly probed: string;
  readonly seen: string;
}

/** A kernel, a machine or a file system lacks an ability. Always of code `UNIMPLEMENTED`. */
export class UnsupportedError extends CleatError {
  override readonly name = "UnsupportedError";
  /** What needs the ability: "overlay2". */
  readonly subject: string;
  readonly reason: UnsupportedReason;
  readonly missing: MissingAbility;

  constructor(subject: string, missing: MissingAbility, options: CleatErrorOptions = {}) {
    super(
      "UNIMPLEMENTED",
      `${subject} needs ${missing.needed}: probed ${missing.probed}, saw ${missing.seen}`,
      options,
    );
    this.subject = subject;
    this.reason = missing.reason ?? "not-supported";
    this.missing = missing;
  }
}
