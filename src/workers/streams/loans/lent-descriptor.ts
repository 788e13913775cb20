import { CleatError } from "../../../errors/index.ts";
import { throwIfCancelled, waitUntilWritable } from "../../../syscall/index.ts";
import { DATA_SIGNAL, LENT, LOAN, NEXT_BYTES, outletStates, readerGone, type Ring, wake } from "../ring/control.ts";
import { createPeerWatch } from "../peers/peer-watch.ts";

/** A descriptor that the reader of a ring lends to its writer, who blocks (`outletStates`). */
export interface LentDescriptor {
  /** Whether what is written next goes to the descriptor. Where that was asked for, blocks until it is lent. */
  isLent(): boolean;
  descriptor(): number;
  /** False when it is called back. @throws CANCELLED where nobody reads any more. */
  isWanted(): boolean;
  /** So many bytes have found room. */
  moved(sizeBytes: number): void;
  /** Waits a little until the peer has room. */
  awaitRoom(): void;
  /** Gives it back with what is the lender's to write first, and waits until that is taken. */
  giveBackAll(...rest: readonly Uint8Array[]): void;
  /** As `giveBackAll`, if it is lent, waiting for nobody; it is not asked for any more. */
  giveBackAtEnd(rest: Uint8Array): void;
}

/** How long until it is looked again whether anybody still reads. */
const lookMs = 20;

/** `onNew` is called when it is lent anew, or given back: whatever was begun there is another's. */
export function createLentDescriptor(ring: Ring, onNew: () => void): LentDescriptor {
  const { control, data } = ring;
  const { none, asked, standing, lent, recalled, returned } = outletStates;
  const watch = createPeerWatch(control, 1);

  /** Until the descriptor is lent, or is not to be had. */
  function stand(): boolean {
    if (Atomics.compareExchange(control, LOAN, asked, standing) !== asked) return false;
    wake(ring, DATA_SIGNAL);
    while (Atomics.load(control, LOAN) === standing) {
      throwIfUnwanted();
      Atomics.wait(control, LOAN, standing, lookMs);
    }
    onNew();
    return Atomics.load(control, LOAN) === lent;
  }

  function throwIfUnwanted(): void {
    throwIfCancelled();
    if (readerGone(ring)) throw toGoneError();
  }

  function giveBack(...parts: readonly Uint8Array[]): void {
    const rest = Buffer.concat(parts);
    data.set(rest, 0);
    Atomics.store(control, NEXT_BYTES, rest.length);
    onNew();
    Atomics.store(control, LOAN, returned);
    Atomics.notify(control, LOAN);
  }

  /** The ring's memory is the reader's until it has taken what lies there. */
  function awaitTaken(): void {
    while (Atomics.load(control, LOAN) === returned) {
      throwIfUnwanted();
      Atomics.wait(control, LOAN, returned, lookMs);
    }
  }

  return {
    isLent() {
      const state = Atomics.load(control, LOAN);
      return state === lent || state === recalled || (state === asked && stand());
    },
    descriptor: () => Atomics.load(control, LENT),
    isWanted() {
      throwIfUnwanted();
      return Atomics.load(control, LOAN) !== recalled;
    },
    moved: (sizeBytes) => watch.moved(sizeBytes),
    awaitRoom() {
      watch.waiting();
      waitUntilWritable(Atomics.load(control, LENT), lookMs);
      watch.waited();
    },
    giveBackAll(...rest) {
      giveBack(...rest);
      awaitTaken();
    },
    giveBackAtEnd(rest) {
      const state = Atomics.load(control, LOAN);
      if (state === lent || state === recalled) giveBack(rest);
      else if (state !== returned) Atomics.store(control, LOAN, none);
    },
  };
}

export function toGoneError(cause?: Error): CleatError {
  return new CleatError("CANCELLED", "stream is no longer read by its receiver", { cause });
}
