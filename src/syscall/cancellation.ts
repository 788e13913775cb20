/**
 * Whether anybody still wants what this thread does. Another thread says no in a word of shared memory; walks, copies
 * and streams look at it where they take their next step, which costs some nanoseconds. A job that is told so once is
 * not told again; one that fails otherwise says by `ignoreCancellation` that it undoes what it did.
 */
import { CleatError } from "../errors/index.ts";

let word: Int32Array<SharedArrayBuffer> | undefined;
let isToldOff = false;

/** A job begins on this thread, which is wanted for as long as the first of `shared` is 0. */
export function watchForCancellation(shared: Int32Array<SharedArrayBuffer>): void {
  word = shared;
  isToldOff = false;
}

/** A step that may be the last. @throws CANCELLED when the job is not wanted any more, once. */
export function throwIfCancelled(): void {
  if (word === undefined || isToldOff || Atomics.load(word, 0) === 0) return;
  isToldOff = true;
  throw toCancelledError();
}

/** From here on the job goes through: what undoes must not be cut off, whatever made it begin. */
export function ignoreCancellation(): void {
  isToldOff = true;
}

/**
 * The last chance before what the job made can be seen; from here on it goes through.
 * @throws CANCELLED when the job is not wanted any more, also where that was passed over before.
 */
export function beginCommit(): void {
  isToldOff = true;
  if (word !== undefined && Atomics.load(word, 0) !== 0) throw toCancelledError();
}

function toCancelledError(): CleatError {
  return new CleatError("CANCELLED", "job was given up by its caller");
}
