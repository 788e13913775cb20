import type { GraphDriver } from "../../graphdriver/index.ts";

/** Removals whose layers are gone, and whose files are being deleted still. */
export interface Removals {
  /** Resolves when the layer is out of the store. @throws FAILED_PRECONDITION when another layer lies on it. */
  remove(layer: string): Promise<void>;
  /** Waits for what is being deleted now. */
  settled(): Promise<void>;
  /** Deletes no more: what is left stands in the home's trash, which the next process to open it empties. */
  giveUp(): void;
}

/** `onLeft` is told of what could be taken out of the way and not be deleted, which stays in the trash, too. */
export function createRemovals(driver: GraphDriver, onLeft: (error: unknown, layer: string) => void): Removals {
  const running = new Set<Promise<void>>();
  const givenUp = new AbortController();
  return {
    remove: (layer) =>
      new Promise<void>((resolve, reject) => {
        let isGone = false;
        const onGone = () => {
          isGone = true;
          resolve();
        };
        const removal = driver.remove(layer, { onGone }, { signal: givenUp.signal }).then(resolve, (error: unknown) => {
          if (!isGone) reject(error as Error);
          else if (!givenUp.signal.aborted) onLeft(error, layer);
        });
        running.add(removal);
        void removal.finally(() => running.delete(removal));
      }),
    async settled() {
      await Promise.all(running);
    },
    giveUp: () => givenUp.abort(),
  };
}
