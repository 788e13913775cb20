import { CleatError, quoteValue, toCleatError } from "../../errors/index.ts";
import type { Borrow, Borrower, LendingSource } from "../../protocol/kit.ts";
import { readUnlessGivenUp } from "./given-up.ts";
import { lendingFile } from "./lending-file.ts";

/**
 * The archive that a caller sends, as it comes; what goes wrong with it is an error about the layer that it is for. A
 * caller's failure keeps its code where it has one and is UNKNOWN otherwise: it is nobody's slip here. Where it can be
 * had from its descriptor, that is lent on.
 */
export function checkedSource(source: LendingSource, id: string, signal?: AbortSignal): LendingSource {
  const lending = lendingFile(source) ?? source;
  return {
    [Symbol.asyncIterator]: () => checked(source, id, signal),
    ...(lending.lend && { lend: (use: Borrow) => lendChecked(lending.lend as Lend, use, id, signal) }),
    ...(lending.isFile && { isFile: lending.isFile }),
  };
}

type Lend = NonNullable<LendingSource["lend"]>;

async function* checked(
  source: AsyncIterable<Uint8Array>,
  id: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  const subject = subjectOf(id);
  if (!isIterable(source)) throw toInvalidError(`${subject} is ${quoteValue(source)}, and no stream of bytes`);
  try {
    for await (const bytes of signal === undefined ? source : readUnlessGivenUp(toAsync(source), signal)) {
      if (!(bytes instanceof Uint8Array))
        throw toInvalidError(`${subject} came with ${quoteValue(bytes)} in place of bytes`);
      yield bytes;
    }
  } catch (error) {
    throw toSourceError(error, id);
  }
}

async function lendChecked(lend: Lend, use: Borrow, id: string, signal: AbortSignal | undefined): Promise<boolean> {
  let borrower: Borrower | undefined;
  const giveUp = (): void => borrower?.cutOff(toSourceError(signal?.reason, id));
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    return await lend((loan) =>
      use({
        ...loan,
        onBorrowed(by) {
          borrower = { ...by, cutOff: (error) => by.cutOff(toSourceError(error, id)) };
          loan.onBorrowed(borrower);
          if (signal?.aborted === true) giveUp();
        },
      }),
    );
  } catch (error) {
    throw toSourceError(error, id);
  } finally {
    borrower = undefined;
    signal?.removeEventListener("abort", giveUp);
  }
}

function subjectOf(id: string): string {
  return `layer "${id}": its archive`;
}

function toSourceError(error: unknown, id: string): Error {
  if (error instanceof CleatError && error.message.includes(id)) return error;
  const { code, message } = toCleatError(error);
  const isNobodys = code === "INTERNAL" && !(error instanceof CleatError);
  return new CleatError(isNobodys ? "UNKNOWN" : code, `${subjectOf(id)} broke off: ${message}`, { cause: error });
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
