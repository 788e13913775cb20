/**
 * A bounded byte queue in shared memory between one writer and one reader on different threads. The thread that may
 * block uses `create…Sync` and sleeps in `Atomics.wait`; the event loop's side uses `create…Async` and never blocks.
 * Its size is all the memory that a stream of any length costs.
 *
 *     control words                                      data
 *     ┌─────────┬──────┬──────────┬───────┬────────┐     ┌──────────────────────────────┐
 *     │ written │ read │ signals… │ end   │ gone   │     │ byte i of the stream at i mod │
 *     └─────────┴──────┴──────────┴───────┴────────┘     │ the size, a power of two      │
 *                                                        └──────────────────────────────┘
 *
 * What bytes come from, or go to, one side may lend the other meanwhile (`loan.ts`, `outlet.ts`).
 *
 * `written` and `read` count bytes and wrap at 2³², which a size that divides 2³² makes harmless. Whoever waits notes a
 * signal's value, looks once more, then sleeps until the value changes, so that no wake-up is lost. To wake a thread
 * costs more than to copy what it waits for: neither side is woken before the other has done half a ring, or has no
 * more.
 */
import { CleatError } from "../../errors/index.ts";
import { throwIfCancelled } from "../../syscall/index.ts";
import {
  bytesHeld,
  changeOf,
  DATA_SIGNAL,
  LOAN,
  outletStates,
  READ,
  READER_GONE,
  readerGone,
  READER_WAITS,
  type Ring,
  SPACE_SIGNAL,
  throwIfAborted,
  wake,
  WRITER_END,
  writerEnds,
  WRITER_WAITS,
  WRITTEN,
} from "./control.ts";
import { createBorrower } from "./borrower.ts";
import { createDirectWriter } from "./direct-writer.ts";

export { createRing, resetRing, type Ring } from "./control.ts";

/** Copies what fits now, and wakes a waiting reader once there is enough worth waking for; how many bytes that was. */
function put(ring: Ring, bytes: Uint8Array): number {
  const { control, data } = ring;
  const written = Atomics.load(control, WRITTEN) >>> 0;
  const at = written % data.length;
  const count = Math.min(bytes.length, data.length - bytesHeld(ring), data.length - at);
  if (count === 0) return 0;
  data.set(count === bytes.length ? bytes : bytes.subarray(0, count), at);
  Atomics.store(control, WRITTEN, (written + count) | 0);
  if (bytesHeld(ring) >= data.length / 2) wakeReader(ring);
  return count;
}

function wakeReader(ring: Ring): void {
  if (Atomics.load(ring.control, READER_WAITS) !== 0) wake(ring, DATA_SIGNAL);
}

/** Up to `maxBytes` that can be read in one piece now; empty when there are none. */
function peek(ring: Ring, maxBytes: number): Uint8Array<SharedArrayBuffer> {
  const at = (Atomics.load(ring.control, READ) >>> 0) % ring.data.length;
  return ring.data.subarray(at, Math.min(at + Math.min(bytesHeld(ring), maxBytes), ring.data.length));
}

/** Frees the oldest `count` bytes; wakes a waiting writer once there is room worth waking for. */
function release(ring: Ring, count: number): void {
  Atomics.add(ring.control, READ, count);
  if (bytesHeld(ring) > ring.data.length / 2 || Atomics.load(ring.control, WRITER_WAITS) === 0) return;
  wake(ring, SPACE_SIGNAL);
}

function endWriting(ring: Ring, end: number): void {
  Atomics.compareExchange(ring.control, WRITER_END, writerEnds.open, end);
  wake(ring, DATA_SIGNAL);
}

function leave(ring: Ring): void {
  Atomics.store(ring.control, READER_GONE, 1);
  wake(ring, SPACE_SIGNAL);
}

/** Whether the stream is over. Asked only after the ring was seen empty. */
function isFinished(ring: Ring): boolean {
  throwIfAborted(ring);
  return Atomics.load(ring.control, WRITER_END) === writerEnds.finished && bytesHeld(ring) === 0;
}

/** Empty, and not over. */
function isEmpty(ring: Ring): boolean {
  return bytesHeld(ring) === 0 && Atomics.load(ring.control, WRITER_END) === writerEnds.open;
}

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

export interface SyncRingWriter {
  /** Copies all of `bytes` into the ring, waiting for room. @throws CANCELLED when the reader is gone. */
  write(bytes: Uint8Array): void;
  finish(): void;
  abort(): void;
}

export function createSyncRingWriter(ring: Ring): SyncRingWriter {
  const direct = createDirectWriter(ring);
  return {
    write(bytes) {
      throwIfCancelled();
      for (let at = direct.write(bytes); at < bytes.length;) {
        if (readerGone(ring)) throw new CleatError("CANCELLED", "stream is no longer read by its receiver");
        const signal = Atomics.load(ring.control, SPACE_SIGNAL);
        const count = put(ring, at === 0 ? bytes : bytes.subarray(at));
        at += count;
        if (count > 0) continue;
        Atomics.store(ring.control, WRITER_WAITS, 1);
        if (bytesHeld(ring) === ring.data.length && !readerGone(ring)) Atomics.wait(ring.control, SPACE_SIGNAL, signal);
        Atomics.store(ring.control, WRITER_WAITS, 0);
      }
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

export interface AsyncRingReader {
  /**
   * A copy of the next bytes; `undefined` at the end, none where the writer waits to be lent a
   * descriptor (`outlet.ts`).
   * @throws CANCELLED when the writer aborted.
   */
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  leave(): void;
}

export function createAsyncRingReader(ring: Ring): AsyncRingReader {
  return {
    async read() {
      for (;;) {
        const signal = Atomics.load(ring.control, DATA_SIGNAL);
        const bytes = new Uint8Array(peek(ring, maxCopiedBytes));
        if (bytes.length > 0) {
          release(ring, bytes.length);
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

/** What one read lends: a part of the ring, so that the writer fills the rest meanwhile. */
const maxLentBytes = 128 * 1024;
/** What one read copies: so much that a message costs little, so little that it stays a small allocation. */
const maxCopiedBytes = 256 * 1024;

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
