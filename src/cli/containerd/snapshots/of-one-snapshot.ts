import { CleatError, TransportError } from "../../../errors/index.ts";

/** Whether a snapshotter says that of the one snapshot it was asked about: it is gone, or its files cannot be read. */
export function isOfOneSnapshot(error: unknown): error is CleatError {
  return error instanceof CleatError && !(error instanceof TransportError) && !whole.has(error.code);
}

/** What would be said of any other just as well. */
const whole: ReadonlySet<CleatError["code"]> = new Set(["DEADLINE_EXCEEDED", "CANCELLED", "UNIMPLEMENTED"]);
