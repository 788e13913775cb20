import { CleatError } from "../../errors/index.ts";

/** A queue for each volume: what is asked of one is done in order, and holds nobody else up. */
export interface Turns {
  /**
   * Runs `work` when all that was asked of the volume before has ended, whatever became of it. A caller whose signal
   * aborts leaves: before its turn `work` is not begun, and otherwise goes on without anybody waiting for it.
   * @throws the reason of `signal`.
   */
  take<Result>(name: string, signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result>;
  /** Resolves when nothing runs or waits any more. */
  idle(): Promise<void>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>();

  const enqueue = <Result>(
    name: string,
    signal: AbortSignal | undefined,
    work: () => Promise<Result>,
  ): Promise<Result> => {
    const before = last.get(name) ?? Promise.resolve();
    const running = (async () => {
      await before;
      signal?.throwIfAborted();
      return work();
    })();
    const end = async () => {
      await Promise.allSettled([running]);
      if (last.get(name) === ended) last.delete(name);
    };
    const ended = end();
    last.set(name, ended);
    return running;
  };

  return {
    async take(name, signal, work) {
      const running = enqueue(name, signal, work);
      return signal === undefined ? running : orGiveUp(running, signal);
    },
    async idle() {
      while (last.size > 0) await Promise.all(last.values());
    },
  };
}

function orGiveUp<Result>(running: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      const { reason } = signal as { reason: unknown };
      reject(
        reason instanceof CleatError ? reason : new CleatError("CANCELLED", "call was given up", { cause: reason }),
      );
    };
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    running.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}
