import { joinFailures } from "../../../errors/kit.ts";

/**
 * Undoes what a job has made visible before it failed, so that whoever is told of the failure finds nothing done.
 * Returns what to throw: the failure, or one that also says what kept it from being undone.
 */
export function takeBack(failure: unknown, undo: () => void): unknown {
  try {
    undo();
    return failure;
  } catch (error) {
    return joinFailures(failure, error, "it could not be undone");
  }
}
