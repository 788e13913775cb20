/** What `tree-child.ts` is asked for, as JSON, and what it says when that cannot be done. */
import type { ErrorCode } from "../../errors/index.ts";

/** Paths are absolute and of the driver's own folders, or of what is mounted there. */
export type TreeOrder =
  /** All that is in `from`, at `to`: an empty folder, or none yet. */
  | { readonly job: "copy"; readonly from: string; readonly to: string }
  /** The same of one file, which `to` is not yet; with `atOnce` only where it is a copy of one moment. */
  | { readonly job: "copy file"; readonly from: string; readonly to: string; readonly atOnce: boolean }
  /** Makes the file `note` where nothing in `folder` would be another file below an overlay. */
  | { readonly job: "note unmarked"; readonly folder: string; readonly note: string }
  /** Writes what is in `from` to standard output, as a tar archive. */
  | { readonly job: "archive"; readonly from: string }
  /** Makes in the empty folder `to` what the tar archive on standard input holds. */
  | { readonly job: "unpack"; readonly to: string };

export interface TreeFailure {
  readonly code: ErrorCode;
  readonly message: string;
}
