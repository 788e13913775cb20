import { CleatError, type CleatErrorOptions } from "./cleat-error.ts";

/** What a driver needs from the kernel or a file system, how that was probed and what the probe saw. */
export interface MissingAbility {
  readonly needed: string;
  readonly probed: string;
  readonly seen: string;
}

/** A kernel or a file system lacks an ability. Always of code `UNIMPLEMENTED`. */
export class UnsupportedError extends CleatError {
  override readonly name = "UnsupportedError";
  readonly missing: MissingAbility;

  constructor(subject: string, missing: MissingAbility, options: CleatErrorOptions = {}) {
    super(
      "UNIMPLEMENTED",
      `${subject} needs ${missing.needed}: probed ${missing.probed}, saw ${missing.seen}`,
      options,
    );
    this.missing = missing;
  }
}
