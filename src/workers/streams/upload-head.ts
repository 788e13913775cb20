import type { Borrow, LendingSource } from "../../protocol/kit.ts";

/** The beginning of a stream, read before anybody is told of it. */
export interface UploadHead {
  /** All of the stream, the head included; to be iterated once, whose early end lets go of the source. */
  readonly bytes: LendingSource;
  /** Whether that is all: nobody has to wait for the sender any more. */
  readonly isWhole: boolean;
}

/** What the largest of the many small layers of an image have, and what a thousand silent senders may have sent. */
const headBytes = 64 * 1024;

/** Reads until the stream has ended or has sent `headBytes`. @throws what the stream failed with. */
export async function readHead(source: LendingSource): Promise<UploadHead> {
  const iterator = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  for (;;) {
    const { done, value } = await iterator.next();
    if (done === true) return { bytes: replay([head]), isWhole: true };
    if (head.length + value.length >= headBytes)
      return { bytes: replay([head, value], { source, iterator }), isWhole: false };
    // A copy: a peer who sends byte by byte must not cost an object, and the part of a larger buffer, for each.
    head = Buffer.concat([head, value]);
  }
}

interface Rest {
  readonly source: LendingSource;
  readonly iterator: AsyncIterator<Uint8Array>;
}

/** What was read goes before all that comes, by whichever way that comes. */
function replay(head: Uint8Array[], rest?: Rest): LendingSource {
  const lend = rest?.source.lend;
  return {
    [Symbol.asyncIterator]: () => iterate(head, rest?.iterator),
    lend:
      lend &&
      ((use: Borrow) => lend((loan) => use({ ...loan, ahead: Buffer.concat([...head.splice(0), loan.ahead]) }))),
  };
}

async function* iterate(
  head: Uint8Array[],
  rest: AsyncIterator<Uint8Array> | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  let isLeftEarly = true;
  try {
    for (let bytes = head.shift(); bytes !== undefined; bytes = head.shift()) if (bytes.length > 0) yield bytes;
    isLeftEarly = false; // from here on `yield*` lets go of the source itself
    if (rest !== undefined) yield* { [Symbol.asyncIterator]: () => rest };
  } finally {
    if (isLeftEarly) await rest?.return?.();
  }
}
