/** What `tree-child.ts` is asked for, as JSON, and what it says when that cannot be done. */
import { CleatError, type ErrorCode, errorCodes } from "../../errors/index.ts";

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

/** A line of its own: Node may warn of its settings (NODE_EXTRA_CA_CERTS, NODE_OPTIONS) before and after. */
export function formatTreeFailure(failure: TreeFailure): string {
  return `\n${JSON.stringify(failure)}\n`;
}

/** What is in all that the program said; where it did not say a failure, all that, or that it was killed. */
export function parseTreeFailure(said: string): CleatError {
  for (const line of said.split("\n").toReversed()) {
    const failure = line.startsWith("{") ? parseLine(line) : undefined;
    if (failure !== undefined) return new CleatError(failure.code, failure.message);
  }
  return new CleatError("UNKNOWN", said.trim() === "" ? "it was killed" : said.trim());
}

function parseLine(line: string): TreeFailure | undefined {
  try {
    const { code, message } = JSON.parse(line) as TreeFailure;
    return Object.hasOwn(errorCodes, code) && typeof message === "string" ? { code, message } : undefined;
  } catch {
    return undefined; // somebody else's line
  }
}
