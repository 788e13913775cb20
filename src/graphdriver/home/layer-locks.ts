/** One queue per layer: calls that change the same layer run one after another, others side by side. */
export interface LayerLocks {
  /** Runs `work` when all earlier calls for the layer are done, whatever became of them. */
  withLock<T>(id: string, work: () => Promise<T>): Promise<T>;
  /** Resolves when nothing is running or waiting any more. */
  idle(): Promise<void>;
}

export function createLayerLocks(): LayerLocks {
  const tails = new Map<string, Promise<unknown>>();

  async function withLock<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = tails.get(id);
    const turn = before === undefined ? work() : before.then(work);
    const settled = turn.then(ignore, ignore);
    tails.set(id, settled);
    try {
      return await turn;
    } finally {
      if (tails.get(id) === settled) tails.delete(id);
    }
  }

  return {
    withLock,
    async idle() {
      while (tails.size > 0) await Promise.all(tails.values());
    },
  };
}

function ignore(): void {}
