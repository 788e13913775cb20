/** The beginning of a stream, read before anybody is told of it. */
export interface UploadHead {
  /** All of the stream, the head included; to be iterated once, whose early end lets go of the source. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Whether that is all: nobody has to wait for the sender any more. */
  readonly isWhole: boolean;
}

/** What the largest of the many small layers of an image have, and what a thousand silent senders may have sent. */
const headBytes = 64 * 1024;

/** Reads until the stream has ended or has sent `headBytes`. @throws what the stream failed with. */
export async function readHead(source: AsyncIterable<Uint8Array>): Promise<UploadHead> {
  const iterator = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  for (;;) {
    const { done, value } = await iterator.next();
    if (done === true) return { bytes: replay(head), isWhole: true };
    if (head.length + value.length >= headBytes) return { bytes: replay(head, value, iterator), isWhole: false };
    // A copy: a peer who sends byte by byte must not cost an object, and the part of a larger buffer, for each.
    head = Buffer.concat([head, value]);
  }
}

async function* replay(
  head: Uint8Array,
  next?: Uint8Array,
  rest?: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  let isLeftEarly = true;
  try {
    if (head.length > 0) yield head;
    if (next !== undefined) yield next;
    isLeftEarly = false; // from here on `yield*` lets go of the source itself
    if (rest !== undefined) yield* { [Symbol.asyncIterator]: () => rest };
  } finally {
    if (isLeftEarly) await rest?.return?.();
  }
}
