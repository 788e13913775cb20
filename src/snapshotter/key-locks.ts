import type { CallOptions } from "../protocol/index.ts";

/** Lets calls that concern the same keys wait for one another, in the order in which they came. */
export interface KeyLocks {
  /**
   * Runs `work` when all earlier calls for any of `keys` have settled; not at all where it was given up by then.
   * @throws what `work` does, or the signal's reason.
   */
  hold<T>(keys: readonly string[], work: () => Promise<T>, call?: CallOptions): Promise<T>;
}

/** All keys are queued for at once, so that no two calls wait for each other. */
export function createKeyLocks(): KeyLocks {
  const lastOf = new Map<string, Promise<unknown>>();
  return {
    async hold(keys, work, { signal } = {}) {
      const before = keys.map((key) => lastOf.get(key));
      const { promise, resolve } = openPromise();
      for (const key of keys) lastOf.set(key, promise);
      try {
        await Promise.all(before);
        signal?.throwIfAborted();
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
