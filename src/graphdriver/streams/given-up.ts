import { setTimeout as pause } from "node:timers/promises";
import { CleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import { maxTimerMs } from "../../transport/index.ts";
import { undoPatienceMs } from "../../workers/index.ts";

/** A call whose caller may give up, or whose time may be over. */
export interface Wanted {
  /** Its reason is a `CleatError`: CANCELLED or DEADLINE_EXCEEDED. `undefined` for a call that nobody can give up. */
  readonly signal: AbortSignal | undefined;
  /**
   * @throws the signal's reason, when the call was given up before it began, or a while before `work` ended, which then
   * goes on: the layer stays locked meanwhile.
   */
  unlessGivenUp<T>(work: () => Promise<T>): Promise<T>;
  /** The error that the caller is told: the signal's reason for one that follows from it. */
  toTold(error: unknown): unknown;
  /** The call is over; the caller's signal is not listened to any more. */
  release(): void;
}

/** `subject` is what the messages name: `layer "a"`. */
export function createWanted(subject: string, { signal, timeoutMs }: CallOptions = {}): Wanted {
  if (signal === undefined && timeoutMs === undefined) {
    return { signal: undefined, unlessGivenUp: (work) => work(), toTold: (error) => error, release() {} };
  }
  const controller = new AbortController();
  const own = controller.signal;
  const end = (error: CleatError): void => void (own.aborted || controller.abort(error));
  const giveUp = (): void =>
    end(new CleatError("CANCELLED", `${subject}: call was given up by its caller`, { cause: signal?.reason }));
  const expire = (): void => end(new CleatError("DEADLINE_EXCEEDED", `${subject}: no answer within ${timeoutMs} ms`));
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, Math.min(timeoutMs, maxTimerMs));
  if (signal?.aborted === true) giveUp();
  else signal?.addEventListener("abort", giveUp, { once: true });

  const wanted: Wanted = {
    signal: own,
    async unlessGivenUp(work) {
      own.throwIfAborted();
      let stop!: () => void;
      const tired = new Promise<never>((_, reject) => {
        stop = () => void pause(undoPatienceMs).then(() => reject(own.reason as Error));
        own.addEventListener("abort", stop, { once: true });
      });
      tired.catch(() => {}); // nobody hears of it once the work has ended
      try {
        return await Promise.race([work(), tired]);
      } catch (error) {
        throw wanted.toTold(error);
      } finally {
        own.removeEventListener("abort", stop);
      }
    },
    toTold(error) {
      const reason = own.reason as CleatError | undefined;
      if (!own.aborted || reason === undefined || error === reason || !(error instanceof CleatError)) return error;
      if (error.code !== "CANCELLED" && error.code !== reason.code) return error;
      return new CleatError(reason.code, reason.message, { cause: error });
    },
    release() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
    },
  };
  return wanted;
}

/** Runs what may be given up; `subject` as for `createWanted`. */
export async function whileWanted<T>(
  subject: string,
  call: CallOptions | undefined,
  run: (own: CallOptions | undefined) => Promise<T>,
): Promise<T> {
  const wanted = createWanted(subject, call);
  try {
    return await wanted.unlessGivenUp(async () => run(toOwn(call, wanted)));
  } finally {
    wanted.release();
  }
}

/** What is told who does the work: nothing where nobody can give up. */
export function toOwn(call: CallOptions | undefined, { signal }: Wanted): CallOptions | undefined {
  return signal === undefined ? call : { signal };
}

/**
 * As it comes, until the signal aborts; then `source` is let go of, however silent it is. @throws the signal's reason.
 */
export async function* readUnlessGivenUp(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let reject: (reason: unknown) => void = () => {};
  const giveUp = (): void => reject(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  let isOver = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, fail) => {
        reject = fail;
        iterator.next().then(resolve, fail);
      }).catch((error: unknown) => {
        isOver = !signal.aborted;
        throw error;
      });
      isOver = next.done === true;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", giveUp);
    // A generator that waits for its next bytes hears of it when it has them; nobody waits for that.
    if (!isOver) void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
