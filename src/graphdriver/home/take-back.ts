import { CleatError, toCleatError } from "../../errors/index.ts";

/**
 * Undoes what a job has made visible before it failed, so that whoever is told of the failure finds nothing done.
 * Returns what to throw: the failure, or one that also says what kept it from being undone.
 */
export function takeBack(failure: unknown, undo: () => void): unknown {
  try {
    undo();
    return failure;
  } catch (error) {
    const { code, message } = toCleatError(failure);
    const cause = new AggregateError([failure, error]);
    return new CleatError(code, `${message}; it could not be undone: ${toCleatError(error).message}`, { cause });
  }
}
