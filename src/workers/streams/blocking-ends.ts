/** The ends of a ring for a thread that may block: a job's. They borrow what the other end lends (`loans`). */
import { CleatError } from "../../errors/index.ts";
import { throwIfCancelled } from "../../syscall/index.ts";
import { createBorrower } from "./loans/borrower.ts";
import { createDirectWriter } from "./loans/direct-writer.ts";
import {
  bytesHeld,
  DATA_SIGNAL,
  readerGone,
  READER_WAITS,
  type Ring,
  SPACE_SIGNAL,
  writerEnds,
  WRITER_WAITS,
} from "./ring/control.ts";
import { commit, endWriting, isEmpty, isFinished, leave, peek, put, release, room } from "./ring/queue.ts";

export interface SyncRingReader {
  /** The next bytes, valid until the next call; `undefined` at the end. @throws CANCELLED when the writer aborted. */
  read(): Uint8Array | undefined;
  /** Tells the writer that nobody reads any more; what it still writes is dropped. */
  leave(): void;
}

export function createSyncRingReader(ring: Ring): SyncRingReader {
  const borrower = createBorrower(ring);
  let lent = 0;
  return {
    read() {
      throwIfCancelled();
      if (lent > 0) release(ring, lent);
      lent = 0;
      for (;;) {
        const signal = Atomics.load(ring.control, DATA_SIGNAL);
        const bytes = peek(ring, maxLentBytes);
        if (bytes.length > 0) {
          lent = bytes.length;
          return bytes;
        }
        const borrowed = borrower.read();
        if (borrowed !== undefined) return borrowed;
        if (isFinished(ring)) return undefined;
        Atomics.store(ring.control, READER_WAITS, 1);
        if (isEmpty(ring)) Atomics.wait(ring.control, DATA_SIGNAL, signal);
        Atomics.store(ring.control, READER_WAITS, 0);
      }
    },
    leave() {
      leave(ring);
      borrower.giveBack();
    },
  };
}

/** What one claim takes: so much that the reader is not told of it often, so little that it has the rest meanwhile. */
const maxClaimedBytes = 256 * 1024;
/** Less is not worth its own calls to the kernel. */
const minClaimedBytes = 16 * 1024;

/** What one read lends: a part of the ring, so that the writer fills the rest meanwhile. */
const maxLentBytes = 128 * 1024;
export interface SyncRingWriter {
  /** Copies all of `bytes` into the ring, waiting for room. @throws CANCELLED when the reader is gone. */
  write(bytes: Uint8Array): void;
  /**
   * Room in the ring for the next bytes, to be made there, waiting for some; `undefined` where it is short, or where
   * bytes go elsewhere. @throws CANCELLED when the reader is gone.
   */
  claim(): Buffer | undefined;
  /** Writes the first `count` bytes of what was claimed last. */
  commit(count: number): void;
  /**
   * Writes the next bytes of an open file, at most `sizeBytes`, where bytes go to a descriptor; how many those were.
   * @throws CANCELLED when the reader is gone.
   */
  send(file: number, sizeBytes: number): number;
  finish(): void;
  abort(): void;
}

export function createSyncRingWriter(ring: Ring): SyncRingWriter {
  const direct = createDirectWriter(ring);

  /** What `take` finds room for, none of which it does where the ring is full. */
  function takeRoom<T>(take: () => T, isNone: (taken: T) => boolean): T {
    for (;;) {
      if (readerGone(ring)) throw new CleatError("CANCELLED", "stream is no longer read by its receiver");
      const signal = Atomics.load(ring.control, SPACE_SIGNAL);
      const taken = take();
      if (!isNone(taken)) return taken;
      Atomics.store(ring.control, WRITER_WAITS, 1);
      if (bytesHeld(ring) === ring.data.length && !readerGone(ring)) Atomics.wait(ring.control, SPACE_SIGNAL, signal);
      Atomics.store(ring.control, WRITER_WAITS, 0);
    }
  }

  return {
    write(bytes) {
      throwIfCancelled();
      for (let at = direct.write(bytes); at < bytes.length;) {
        const rest = at === 0 ? bytes : bytes.subarray(at);
        at += takeRoom(
          () => put(ring, rest),
          (count) => count === 0,
        );
      }
    },
    claim() {
      throwIfCancelled();
      if (direct.isLent()) return undefined;
      const claimed = takeRoom(
        () => room(ring, maxClaimedBytes),
        ({ length }) => length === 0,
      );
      return claimed.length < minClaimedBytes ? undefined : claimed;
    },
    commit: (count) => commit(ring, count),
    send(file, sizeBytes) {
      throwIfCancelled();
      return direct.isLent() ? direct.send(file, sizeBytes) : 0;
    },
    finish() {
      direct.end();
      endWriting(ring, writerEnds.finished);
    },
    abort() {
      direct.end();
      endWriting(ring, writerEnds.aborted);
    },
  };
}
