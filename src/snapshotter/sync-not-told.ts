import { CleatError } from "../errors/index.ts";

/**
 * `SnapshotStorage.sync` did not fail to write: it does not know whether what it wrote is all that was written to
 * places. Whatever the disk fails to write the next one tells.
 */
export class SyncNotToldError extends CleatError {
  override readonly name = "SyncNotToldError";
  /** Whether an engine that came to a place by its path meanwhile may have written into another folder. */
  readonly otherFolder: boolean;

  constructor(cause: CleatError, { otherFolder }: { readonly otherFolder: boolean }) {
    super(cause.code, cause.message, { cause });
    this.otherFolder = otherFolder;
  }
}
