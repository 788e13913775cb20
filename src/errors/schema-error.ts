import { CleatError, type CleatErrorOptions } from "./cleat-error.ts";
import type { ErrorCode } from "./codes.ts";
import { onOneLine } from "./quote.ts";

/** One place where a message differs from its schema: `path` is "UIDMaps.0.size", empty for the message as a whole. */
export interface SchemaIssue {
  readonly path: string;
  readonly problem: string;
}

/**
 * A message is not what its schema says. `INVALID_ARGUMENT` for a request, `DATA_LOSS` for a reply, `INTERNAL` for
 * what our own side was about to send.
 */
export class SchemaError extends CleatError {
  override readonly name = "SchemaError";
  readonly issues: readonly SchemaIssue[];

  constructor(code: ErrorCode, subject: string, issues: readonly SchemaIssue[], options: CleatErrorOptions = {}) {
    const list = issues.map(({ path, problem }) => (path === "" ? problem : `${path}: ${problem}`));
    // Node quotes what is not JSON as it stands.
    super(code, `${subject} does not fit its schema: ${onOneLine(list.join("; "))}`, options);
    this.issues = issues;
  }
}
