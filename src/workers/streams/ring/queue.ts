/**
 * A bounded byte queue in shared memory between one writer and one reader on different threads. The thread that may
 * block sleeps in `Atomics.wait` (`blocking-ends.ts`); the event loop's side never blocks (`async-ends.ts`).
 * Its size is all the memory that a stream of any length costs.
 *
 *     control words                                      data
 *     ┌─────────┬──────┬──────────┬───────┬────────┐     ┌──────────────────────────────┐
 *     │ written │ read │ signals… │ end   │ gone   │     │ byte i of the stream at i mod │
 *     └─────────┴──────┴──────────┴───────┴────────┘     │ the size, a power of two      │
 *                                                        └──────────────────────────────┘
 *
 * What bytes come from, or go to, one side may lend the other meanwhile (`loans`).
 *
 * `written` and `read` count bytes and wrap at 2³², which a size that divides 2³² makes harmless. Whoever waits notes a
 * signal's value, looks once more, then sleeps until the value changes, so that no wake-up is lost. To wake a thread
 * costs more than to copy what it waits for: neither side is woken before the other has done half a ring, or has no
 * more.
 */
import {
  bytesHeld,
  DATA_SIGNAL,
  READ,
  READER_GONE,
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

/** Copies what fits now, and wakes a waiting reader once there is enough worth waking for; how many bytes that was. */
export function put(ring: Ring, bytes: Uint8Array): number {
  const { control, data } = ring;
  const written = Atomics.load(control, WRITTEN) >>> 0;
  const at = written % data.length;
  const count = Math.min(bytes.length, data.length - bytesHeld(ring), data.length - at);
  if (count === 0) return 0;
  data.set(count === bytes.length ? bytes : bytes.subarray(0, count), at);
  commit(ring, count);
  return count;
}

/** The room behind what is written, up to `maxBytes` of it in one piece. */
export function room({ control, data }: Ring, maxBytes: number): Buffer<SharedArrayBuffer> {
  const at = (Atomics.load(control, WRITTEN) >>> 0) % data.length;
  const count = Math.min(maxBytes, data.length - bytesHeld({ control, data }), data.length - at);
  return Buffer.from(data.buffer, at, count);
}

/** Counts as written what lies in the room behind it. */
export function commit(ring: Ring, count: number): void {
  Atomics.add(ring.control, WRITTEN, count);
  if (bytesHeld(ring) >= ring.data.length / 2) wakeReader(ring);
}

export function wakeReader(ring: Ring): void {
  if (Atomics.load(ring.control, READER_WAITS) !== 0) wake(ring, DATA_SIGNAL);
}

/** Up to `maxBytes` that can be read in one piece now; empty when there are none. */
export function peek(ring: Ring, maxBytes: number): Uint8Array<SharedArrayBuffer> {
  const at = (Atomics.load(ring.control, READ) >>> 0) % ring.data.length;
  return ring.data.subarray(at, Math.min(at + Math.min(bytesHeld(ring), maxBytes), ring.data.length));
}

/** Frees the oldest `count` bytes; wakes a waiting writer once there is room worth waking for. */
export function release(ring: Ring, count: number): void {
  Atomics.add(ring.control, READ, count);
  if (bytesHeld(ring) > ring.data.length / 2 || Atomics.load(ring.control, WRITER_WAITS) === 0) return;
  wake(ring, SPACE_SIGNAL);
}

export function endWriting(ring: Ring, end: number): void {
  Atomics.compareExchange(ring.control, WRITER_END, writerEnds.open, end);
  wake(ring, DATA_SIGNAL);
}

export function leave(ring: Ring): void {
  Atomics.store(ring.control, READER_GONE, 1);
  wake(ring, SPACE_SIGNAL);
}

/** Whether the stream is over. Asked only after the ring was seen empty. */
export function isFinished(ring: Ring): boolean {
  throwIfAborted(ring);
  return Atomics.load(ring.control, WRITER_END) === writerEnds.finished && bytesHeld(ring) === 0;
}

/** Empty, and not over. */
export function isEmpty(ring: Ring): boolean {
  return bytesHeld(ring) === 0 && Atomics.load(ring.control, WRITER_END) === writerEnds.open;
}
