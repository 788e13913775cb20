/**
 * The writing end of an outlet (`outlet.ts`), on the job's thread: what the job writes goes to the peer's descriptor,
 * in chunk frames, once that is lent, and into the ring again when it is called back.
 */
import { CleatError, SystemError } from "../../../errors/index.ts";
import { throwIfCancelled, waitUntilWritable, writeNow } from "../../../syscall/index.ts";
import { DATA_SIGNAL, LENT, LOAN, NEXT_BYTES, outletStates, readerGone, type Ring, wake } from "../ring/control.ts";
import { createPeerWatch } from "../peers/peer-watch.ts";

export interface DirectWriter {
  /**
   * Writes `bytes` where they go to the descriptor; how many of them that was: all, or none
   * but for a call back. Blocks.
   */
  write(bytes: Uint8Array): number;
  /** Whether what is written next goes to the descriptor. Where that was asked for, blocks until it is lent. */
  isLent(): boolean;
  /** Gives back what is lent. */
  end(): void;
}

/** How long until it is looked again whether anybody still reads. */
const lookMs = 20;

const nothing = new Uint8Array(0);

export function createDirectWriter(ring: Ring): DirectWriter {
  const { control, data } = ring;
  const { none, asked, standing, lent, recalled, returned } = outletStates;
  const watch = createPeerWatch(control, 1);
  /** What has to come before the next frame. */
  let frameEnd = "";

  function isLent(): boolean {
    const state = Atomics.load(control, LOAN);
    return state === lent || state === recalled || (state === asked && stand());
  }

  /** Until the descriptor is lent, or is not to be had. */
  function stand(): boolean {
    if (Atomics.compareExchange(control, LOAN, asked, standing) !== asked) return false;
    wake(ring, DATA_SIGNAL);
    while (Atomics.load(control, LOAN) === standing) {
      throwIfUnwanted();
      Atomics.wait(control, LOAN, standing, lookMs);
    }
    frameEnd = "";
    return Atomics.load(control, LOAN) === lent;
  }

  function throwIfUnwanted(): void {
    throwIfCancelled();
    if (readerGone(ring)) throw toGoneError();
  }

  /** What is left of `bytes` when the descriptor is called back. */
  function send(bytes: Uint8Array): Uint8Array {
    const descriptor = Atomics.load(control, LENT);
    for (let rest = bytes; ;) {
      throwIfUnwanted();
      if (Atomics.load(control, LOAN) === recalled) return rest;
      const count = tryWrite(descriptor, rest);
      if (count === rest.length) return nothing;
      if (count !== undefined) {
        rest = rest.subarray(count);
        watch.moved(count);
      }
      watch.waiting();
      waitUntilWritable(descriptor, lookMs);
      watch.waited();
    }
  }

  /** What cannot be written is the rest of a frame, and somebody else's to write. */
  function giveBack(...parts: readonly Uint8Array[]): void {
    const rest = Buffer.concat(parts);
    data.set(rest, 0);
    Atomics.store(control, NEXT_BYTES, rest.length);
    frameEnd = "";
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

  /** False where the descriptor was called back; the frame is whole for who reads all the same. */
  function sendFrame(content: Uint8Array): boolean {
    const head = Buffer.from(`${frameEnd}${content.length.toString(16)}\r\n`, "latin1");
    const restOfHead = send(head);
    const rest = restOfHead.length > 0 ? content : send(content);
    if (restOfHead.length + rest.length === 0) {
      frameEnd = lineEnd;
      return true;
    }
    giveBack(restOfHead, rest, Buffer.from(lineEnd));
    awaitTaken();
    return false;
  }

  return {
    isLent,
    write(bytes) {
      if (!isLent()) return 0;
      for (let at = 0; at < bytes.length;) {
        const content = bytes.subarray(at, at + data.length / 2);
        at += content.length;
        if (!sendFrame(content)) return at;
      }
      return bytes.length;
    },
    end() {
      const state = Atomics.load(control, LOAN);
      if (state === lent || state === recalled) giveBack(Buffer.from(frameEnd));
      else if (state !== returned) Atomics.store(control, LOAN, none);
    },
  };
}

const lineEnd = "\r\n";

function tryWrite(descriptor: number, bytes: Uint8Array): number | undefined {
  try {
    return writeNow(descriptor, bytes);
  } catch (error) {
    if (error instanceof SystemError) throw toGoneError(error);
    throw error;
  }
}

function toGoneError(cause?: Error): CleatError {
  return new CleatError("CANCELLED", "stream is no longer read by its receiver", { cause });
}
