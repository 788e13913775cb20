/** The words of shared memory by which both ends of a ring tell each other what there is (`queue.ts`). */
import { CleatError } from "../../../errors/index.ts";

/** What is handed to the other thread; clones by reference. */
export interface Ring {
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly data: Uint8Array<SharedArrayBuffer>;
}

export const WRITTEN = 0;
export const READ = 1;
export const DATA_SIGNAL = 2;
export const SPACE_SIGNAL = 3;
export const WRITER_END = 4;
export const READER_GONE = 5;
export const WRITER_WAITS = 6;
export const READER_WAITS = 7;

/** What the writer lends to the reader, and how that stands: one of `loanStates`. */
export const LOAN = 8;
/** The descriptor that is lent. */
export const LENT = 9;
/** One of `framings`. */
export const FRAMING = 10;
/**
 * 1 while the reader waits for the peer, who was brisk until then (milliseconds of the monotonic clock, cut to a word).
 */
export const PEER_WAITED_FOR = 11;
export const PEER_SILENT_SINCE = 12;
/** What is given back lies at the start of the data: so many bytes, of which the first ones are filler. */
export const NEXT_BYTES = 13;
export const FILLER_BYTES = 14;
const controlWords = 16;

export const loanStates = { none: 0, offered: 1, taken: 2, returned: 3 } as const;
/** Inside of a chunk, or of a body, of which so many bytes are left; behind a chunk's content; before its size. */
export const framings = { chunk: 0, chunkEnd: 1, chunkStart: 2, sized: 3, file: 4 } as const;

/**
 * In a ring that a job writes, the word of the loan says how far the job has come to write to a descriptor itself: its
 * reader asks for that; the job stands still, with all that it wrote in the ring; the reader lends the descriptor, may
 * call it back, and gets it back.
 */
export const outletStates = { none: 0, asked: 1, standing: 2, lent: 3, recalled: 4, returned: 5 } as const;

/** Counts of up to 2⁵³ behind the words: what is left of the chunk or body, or where in the file; what was missed. */
export const LEFT = 0;
export const MISSED = 1;
const countBytes = 2 * Float64Array.BYTES_PER_ELEMENT;

export const writerEnds = { open: 0, finished: 1, aborted: 2 } as const;

/** @throws INVALID_ARGUMENT when `sizeBytes` is not a power of two up to 2³¹. */
export function createRing(sizeBytes = 2 ** 20): Ring {
  if (!(sizeBytes > 0 && sizeBytes <= 2 ** 31 && Number.isInteger(Math.log2(sizeBytes)))) {
    throw new CleatError("INVALID_ARGUMENT", `ring of ${sizeBytes} bytes is not a power of two up to 2 ** 31`);
  }
  const shared = new SharedArrayBuffer(controlWords * Int32Array.BYTES_PER_ELEMENT + countBytes);
  return {
    control: new Int32Array(shared, 0, controlWords),
    data: new Uint8Array(new SharedArrayBuffer(sizeBytes)),
  };
}

export function countsOf({ control }: Ring): Float64Array<SharedArrayBuffer> {
  return new Float64Array(control.buffer, controlWords * Int32Array.BYTES_PER_ELEMENT, 2);
}

/** Makes a ring that both ends have let go of as good as new. */
export function resetRing({ control }: Ring): void {
  control.fill(0);
}

export function bytesHeld({ control }: Ring): number {
  return (Atomics.load(control, WRITTEN) - Atomics.load(control, READ)) >>> 0;
}

export function wake({ control }: Ring, signal: number): void {
  Atomics.add(control, signal, 1);
  Atomics.notify(control, signal);
}

export function readerGone({ control }: Ring): boolean {
  return Atomics.load(control, READER_GONE) === 1;
}

/** @throws CANCELLED when the writer aborted. */
export function throwIfAborted({ control }: Ring): void {
  if (Atomics.load(control, WRITER_END) === writerEnds.aborted)
    throw new CleatError("CANCELLED", "stream was cut off by its sender");
}

/** Resolves when a word is not what it was seen as. */
export async function changeOf({ control }: Ring, word: number, seen: number): Promise<void> {
  const { async: pending, value } = Atomics.waitAsync(control, word, seen);
  if (pending) await value;
}
