/** Lets calls that concern the same keys wait for one another, in the order in which they came. */
export interface KeyLocks {
  /** Runs `work` when all earlier calls for any of `keys` have settled. */
  hold<T>(keys: readonly string[], work: () => Promise<T>): Promise<T>;
}

/** All keys are queued for at once, so that no two calls wait for each other. */
export function createKeyLocks(): KeyLocks {
  const lastOf = new Map<string, Promise<unknown>>();
  return {
    async hold(keys, work) {
      const before = keys.map((key) => lastOf.get(key));
      const { promise, resolve } = openPromise();
      for (const key of keys) lastOf.set(key, promise);
      try {
        await Promise.all(before);
        return await work();
      } finally {
        resolve();
        for (const key of keys) if (lastOf.get(key) === promise) lastOf.delete(key);
      }
    },
  };
}

function openPromise(): { promise: Promise<void>; resolve(): void } {
  let settle = () => {};
  const promise = new Promise<void>((resolve) => (settle = resolve));
  return { promise, resolve: settle };
}
