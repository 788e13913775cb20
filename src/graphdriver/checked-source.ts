import { CleatError, quoteValue, toCleatError } from "../errors/index.ts";
import { readUnlessGivenUp } from "./given-up.ts";

/**
 * The archive that a caller sends, as it comes; what goes wrong with it is an error about the layer that it is for. A
 * caller's failure keeps its code where it has one and is UNKNOWN otherwise: it is nobody's slip here.
 */
export async function* checkedSource(
  source: AsyncIterable<Uint8Array>,
  id: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const subject = `layer "${id}": its archive`;
  if (!isIterable(source)) throw toInvalidError(`${subject} is ${quoteValue(source)}, and no stream of bytes`);
  try {
    for await (const bytes of signal === undefined ? source : readUnlessGivenUp(toAsync(source), signal)) {
      if (!(bytes instanceof Uint8Array))
        throw toInvalidError(`${subject} came with ${quoteValue(bytes)} in place of bytes`);
      yield bytes;
    }
  } catch (error) {
    if (error instanceof CleatError && error.message.includes(id)) throw error;
    const { code, message } = toCleatError(error);
    const isNobodys = code === "INTERNAL" && !(error instanceof CleatError);
    throw new CleatError(isNobodys ? "UNKNOWN" : code, `${subject} broke off: ${message}`, { cause: error });
  }
}

/** An array is as good as a stream. */
function toAsync(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (Symbol.asyncIterator in source) return source;
  return (async function* () {
    yield* source;
  })();
}

function isIterable(source: unknown): boolean {
  if (typeof source !== "object" || source === null) return false;
  return Symbol.asyncIterator in source || Symbol.iterator in source;
}

function toInvalidError(message: string): CleatError {
  return new CleatError("INVALID_ARGUMENT", message);
}
