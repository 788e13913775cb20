/**
 * A write to an open file that one thread offers to another, which may make it in the same go as what has to be there
 * before: to wake a thread for a write alone takes longer than the write. Until the other has begun with it the offer
 * may be withdrawn. What became of it stands in shared memory, also when the other has died.
 */
import { writeSync } from "node:fs";
import { isSystemError, SystemError } from "../errors/index.ts";

export interface OfferedWrite {
  /** Stays open until the offer is withdrawn, or the write has ended. */
  readonly descriptor: number;
  /** Null where a write goes to the end of the file. */
  readonly position: number | null;
  readonly bytes: Uint8Array;
  /** One of `states`, and the errno of a write that failed. */
  readonly state: Int32Array<SharedArrayBuffer>;
}

/** What became of it; of one that was `abandoned` a part may be written, or all. */
export type OfferedWriteOutcome = "withdrawn" | "written" | "abandoned" | SystemError;

const states = { offered: 0, withdrawn: 1, begun: 2, written: 3, failed: 4, abandoned: 5 };
const stateAt = 0;
const errnoAt = 1;

export function offerWrite(descriptor: number, position: number | null, bytes: Uint8Array): OfferedWrite {
  const state = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  return { descriptor, position, bytes, state };
}

/** False where it has been begun. */
export function withdrawWrite({ state }: OfferedWrite): boolean {
  const before = Atomics.compareExchange(state, stateAt, states.offered, states.withdrawn);
  return before === states.offered || before === states.withdrawn;
}

/** Writes what is offered, unless it was withdrawn. Blocks. Throws nothing: who has offered it asks how it went. */
export function makeOfferedWrite({ descriptor, position, bytes, state }: OfferedWrite): void {
  if (Atomics.compareExchange(state, stateAt, states.offered, states.begun) !== states.offered) return;
  try {
    for (let at = 0; at < bytes.length;)
      at += writeSync(descriptor, bytes, at, bytes.length - at, position === null ? null : position + at);
    Atomics.store(state, stateAt, states.written);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    Atomics.store(state, errnoAt, -error.errno);
    Atomics.store(state, stateAt, states.failed);
  } finally {
    Atomics.notify(state, stateAt);
  }
}

/** For who has given it to a thread, which is done, or is no more: nobody ends what it has begun and not ended. */
export function abandonWrite({ state }: OfferedWrite): void {
  Atomics.compareExchange(state, stateAt, states.begun, states.abandoned);
  Atomics.notify(state, stateAt);
}

/** Withdraws it, or waits for the thread that has begun with it, which goes on when its caller has given up. */
export async function endOffer(write: OfferedWrite): Promise<OfferedWriteOutcome> {
  if (withdrawWrite(write)) return "withdrawn";
  const { state } = write;
  const { async: pending, value } = Atomics.waitAsync(state, stateAt, states.begun);
  if (pending) await value;
  switch (Atomics.load(state, stateAt)) {
    case states.written:
      return "written";
    case states.failed:
      return new SystemError(Atomics.load(state, errnoAt), "write");
    default:
      return "abandoned";
  }
}
