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

/** What became of it; of one that was `begun` by a thread that is no more, a part may be written. */
export type OfferedWriteOutcome = "not begun" | "begun" | "written" | SystemError;

const states = { offered: 0, withdrawn: 1, begun: 2, written: 3, failed: 4 };
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
  }
}

/** For who has offered it, once nobody has it any more. */
export function outcomeOfWrite({ state }: OfferedWrite): OfferedWriteOutcome {
  switch (Atomics.load(state, stateAt)) {
    case states.begun:
      return "begun";
    case states.written:
      return "written";
    case states.failed:
      return new SystemError(Atomics.load(state, errnoAt), "write");
    default:
      return "not begun";
  }
}
