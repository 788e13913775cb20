import { getSystemErrorMap, inspect } from "node:util";
import { CleatError } from "./cleat-error.ts";
import type { ErrorCode } from "./codes.ts";
import { isSystemError, SystemError } from "./system-error.ts";

/** errno → code, the one place where the two tables meet. What is not listed is `UNKNOWN`. */
const codeOfErrno: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "NOT_FOUND",
  EEXIST: "ALREADY_EXISTS",
  EPERM: "PERMISSION_DENIED",
  EACCES: "PERMISSION_DENIED",
  EROFS: "PERMISSION_DENIED",
  EINVAL: "INVALID_ARGUMENT",
  ENAMETOOLONG: "INVALID_ARGUMENT",
  ELOOP: "INVALID_ARGUMENT",
  ENOSPC: "RESOURCE_EXHAUSTED",
  EDQUOT: "RESOURCE_EXHAUSTED",
  EMFILE: "RESOURCE_EXHAUSTED",
  ENFILE: "RESOURCE_EXHAUSTED",
  ENOMEM: "RESOURCE_EXHAUSTED",
  ENOLCK: "RESOURCE_EXHAUSTED",
  EMLINK: "RESOURCE_EXHAUSTED",
  EFBIG: "RESOURCE_EXHAUSTED",
  EBUSY: "FAILED_PRECONDITION",
  ENOTDIR: "FAILED_PRECONDITION",
  EISDIR: "FAILED_PRECONDITION",
  ENOTEMPTY: "FAILED_PRECONDITION",
  EXDEV: "FAILED_PRECONDITION",
  EADDRINUSE: "FAILED_PRECONDITION",
  ERANGE: "OUT_OF_RANGE",
  EOVERFLOW: "OUT_OF_RANGE",
  ENOSYS: "UNIMPLEMENTED",
  EOPNOTSUPP: "UNIMPLEMENTED",
  ENOTSUP: "UNIMPLEMENTED",
  EAGAIN: "UNAVAILABLE",
  EINTR: "UNAVAILABLE", // of a file system in user space: the kernel itself begins again
  ENOTCONN: "UNAVAILABLE", // its program has died
  ECONNREFUSED: "UNAVAILABLE",
  ECONNRESET: "UNAVAILABLE",
  EPIPE: "UNAVAILABLE",
  EHOSTDOWN: "UNAVAILABLE",
  EHOSTUNREACH: "UNAVAILABLE",
  ENETUNREACH: "UNAVAILABLE",
  ETIMEDOUT: "DEADLINE_EXCEEDED",
  EIO: "DATA_LOSS",
  EUCLEAN: "DATA_LOSS",
};

/**
 * Gives any thrown value a code from the closed table. A `CleatError` comes back unchanged; everything else becomes one
 * whose message starts with `subject` (what was being done, to what) and whose `cause` is the original. Never throws,
 * whatever a program has thrown: a proxy, an error whose message is a getter that fails, one that is its own part.
 */
export function toCleatError(error: unknown, subject?: string): CleatError {
  try {
    return translate(error, subject);
  } catch {
    const text = "something was thrown that cannot be looked at";
    return new CleatError("UNKNOWN", subject === undefined ? text : `${subject}: ${text}`, { cause: error });
  }
}

function translate(error: unknown, subject: string | undefined): CleatError {
  if (error instanceof CleatError) return error;
  if (isSystemError(error) && !hasName(error)) {
    return translate(new SystemError(-error.errno, error.syscall, error.path), subject);
  }
  const text = textOf(error);
  return new CleatError(codeOf(error), subject === undefined ? text : `${subject}: ${text}`, { cause: error });
}

/** How many of several failures a message tells of. */
const maxTold = 3;

/** Never empty: an empty text says on the wire that nothing went wrong. */
function textOf(error: unknown): string {
  if (error instanceof AggregateError) {
    const told = error.errors.slice(0, maxTold).map((one) => translate(one, undefined).message);
    return [error.message || `${error.errors.length} failures`, told.join("; ")].filter(Boolean).join(": ");
  }
  if (error instanceof Error) return String(error.message) || `${error.name}, without a message`;
  if (typeof error === "string" && error !== "") return error;
  return `${inspect(error, { depth: 1, breakLength: Number.POSITIVE_INFINITY })} was thrown, and no error`;
}

/** Node has no name for some errnos of Linux, EDQUOT for one, and says UNKNOWN or "Unknown system error -122". */
function hasName({ name, errno }: SystemError): boolean {
  return name === "SystemError" || !(errno < 0) || getSystemErrorMap().has(errno);
}

/**
 * As `toCleatError`, and puts `subject` before the message of a `CleatError` too; its class and data stay in `cause`.
 */
export function withSubject(error: unknown, subject: string): CleatError {
  const { code, message } = toCleatError(error);
  return new CleatError(code, `${subject}: ${message}`, { cause: error });
}

function codeOf(error: unknown): ErrorCode {
  if (!(error instanceof Error)) return "UNKNOWN";
  if (error instanceof AggregateError && error.errors.length > 0) return translate(error.errors[0], undefined).code;
  if (error.name === "AbortError") return "CANCELLED";
  if (error.name === "TimeoutError") return "DEADLINE_EXCEEDED"; // of AbortSignal.timeout
  // Node gives the code of an errno also to some errors that come from no system call ("aborted" requests: ECONNRESET).
  const known = "code" in error ? codeOfErrno[String(error.code)] : undefined;
  return known ?? (isSystemError(error) ? "UNKNOWN" : "INTERNAL");
}
