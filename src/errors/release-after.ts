// By the room's face: the build puts all that is behind it into one file, and this room has one class of errors.
import { CleatError, toCleatError } from "./index.ts";

/**
 * Does `work`, and then `release`, whatever has become of it: what `finally` does, but that the failure of the release
 * does not hide that of the work. @throws `joinFailures` of both where both fail.
 */
export async function releaseAfter<T>(work: () => Promise<T>, release: () => Promise<void> | void): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (failure) {
    try {
      await release();
    } catch (error) {
      throw joinFailures(failure, error, "what it held could not be released");
    }
    throw failure;
  }
  await release();
  return result;
}

/** A failure, and another in cleaning up after it: callers match the code of the first; `cause` holds both. */
export function joinFailures(failure: unknown, cleanUp: unknown, what: string): CleatError {
  const { code, message } = toCleatError(failure);
  const cause = new AggregateError([failure, cleanUp]);
  return new CleatError(code, `${message}; ${what}: ${toCleatError(cleanUp).message}`, { cause });
}
