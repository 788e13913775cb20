import type { GraphDriver } from "../../graphdriver/index.ts";

/** Removals whose layers are gone, and whose files are being deleted still. */
export interface Removals {
  /** Resolves when the layer is out of the store. @throws FAILED_PRECONDITION when another layer lies on it. */
  remove(layer: string): Promise<void>;
  /** Waits for what is being deleted now. Where the driver is closed meanwhile it deletes no more, and leaves that to the next. */
  settled(): Promise<void>;
}

/** `onLeft` is told of what could be taken out of the way and not be deleted: it stays in the home's trash. */
export function createRemovals(driver: GraphDriver, onLeft: (error: unknown, layer: string) => void): Removals {
  const running = new Set<Promise<void>>();
  return {
    remove: (layer) =>
      new Promise<void>((resolve, reject) => {
        let isGone = false;
        const onGone = () => {
          isGone = true;
          resolve();
        };
        const removal = driver.remove(layer, { onGone }).then(resolve, (error: unknown) => {
          if (isGone) onLeft(error, layer);
          else reject(error as Error);
        });
        running.add(removal);
        void removal.finally(() => running.delete(removal));
      }),
    async settled() {
      await Promise.all(running);
    },
  };
}
