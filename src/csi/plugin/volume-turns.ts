/**
 * Runs `work` when all that was asked of the volume before has ended, whatever became of it; other volumes wait for
 * nobody. Not begun when `signal` has aborted meanwhile.
 *
 * @throws the reason of `signal`.
 */
export type TakeTurn = <Result>(id: string, signal: AbortSignal, work: () => Promise<Result>) => Promise<Result>;

export function createVolumeTurns(): TakeTurn {
  const last = new Map<string, Promise<unknown>>();
  return async (id, signal, work) => {
    const before = last.get(id);
    const running = (async () => {
      await before;
      signal.throwIfAborted();
      return work();
    })();
    const ended = Promise.allSettled([running]);
    last.set(id, ended);
    try {
      return await running;
    } finally {
      if (last.get(id) === ended) last.delete(id);
    }
  };
}
