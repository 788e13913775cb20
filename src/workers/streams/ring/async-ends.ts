/** The ends of a ring for the event loop, which never blocks. */
import {
  bytesHeld,
  changeOf,
  DATA_SIGNAL,
  LOAN,
  outletStates,
  readerGone,
  READER_WAITS,
  type Ring,
  SPACE_SIGNAL,
  writerEnds,
  WRITER_WAITS,
} from "./control.ts";
import { endWriting, isEmpty, isFinished, leave, peek, put, release, wakeReader } from "./queue.ts";

export interface AsyncRingReader {
  /**
   * The next bytes, where they lie in the ring until the next call; `undefined` at the end, none where the writer waits
   * to be lent a descriptor (`outlet.ts`).
   * @throws CANCELLED when the writer aborted.
   */
  read(): Promise<Uint8Array<SharedArrayBuffer> | undefined>;
  leave(): void;
}

export function createAsyncRingReader(ring: Ring): AsyncRingReader {
  let lent = 0;
  return {
    async read() {
      if (lent > 0) release(ring, lent);
      lent = 0;
      for (;;) {
        const signal = Atomics.load(ring.control, DATA_SIGNAL);
        const bytes = peek(ring, maxLentBytes);
        if (bytes.length > 0) {
          lent = bytes.length;
          return bytes;
        }
        if (Atomics.load(ring.control, LOAN) === outletStates.standing) return bytes;
        if (isFinished(ring)) return undefined;
        Atomics.store(ring.control, READER_WAITS, 1);
        if (isEmpty(ring)) await changeOf(ring, DATA_SIGNAL, signal);
        Atomics.store(ring.control, READER_WAITS, 0);
      }
    },
    leave: () => leave(ring),
  };
}

/**
 * What one read lends: so much that a message costs little, so little that a copy of it takes memory that was used
 * before. Of the C library's allocator, more than 128 KiB are pages fresh from the kernel each time.
 */
const maxLentBytes = 64 * 1024;

export interface AsyncRingWriter {
  /**
   * Copies all of `bytes` into the ring, waiting for room without blocking.
   * @returns false when the reader is gone and the bytes were dropped.
   */
  write(bytes: Uint8Array): Promise<boolean>;
  finish(): void;
  abort(): void;
}

export function createAsyncRingWriter(ring: Ring): AsyncRingWriter {
  let isFlushing = false;

  /** What little has come by the end of a turn of the event loop may be all that comes for long. */
  function flushSoon(): void {
    if (isFlushing) return;
    isFlushing = true;
    setImmediate(() => {
      isFlushing = false;
      wakeReader(ring);
    });
  }

  return {
    async write(bytes) {
      for (let at = 0; at < bytes.length;) {
        if (readerGone(ring)) return false;
        const signal = Atomics.load(ring.control, SPACE_SIGNAL);
        const count = put(ring, at === 0 ? bytes : bytes.subarray(at));
        at += count;
        if (count > 0) {
          flushSoon(); // also of what is put after a wait for room: a flush from before is spent by then
          continue;
        }
        Atomics.store(ring.control, WRITER_WAITS, 1);
        if (bytesHeld(ring) === ring.data.length && !readerGone(ring)) await changeOf(ring, SPACE_SIGNAL, signal);
        Atomics.store(ring.control, WRITER_WAITS, 0);
      }
      return true;
    },
    finish: () => endWriting(ring, writerEnds.finished),
    abort: () => endWriting(ring, writerEnds.aborted),
  };
}
