import type { OpenHome } from "../../../graphdriver/kit.ts";
import type { ModuleReference } from "../../../workers/index.ts";
import type { dropSpares } from "./spare-layer.ts";

/** Says who may make a layer of a spare, and has the next one made behind it. */
export interface SpareLender {
  /**
   * Runs `make`, and says whether it may. One at a time: of layers that are made side by side the others have threads
   * of their own, which end soon after, and would leave what they make for nobody.
   */
  lend<T>(make: (lent: boolean) => Promise<T>): Promise<T>;
  /** Takes away what is left, if anybody was lent one. What cannot be is swept when the home is opened. */
  drop(): Promise<void>;
}

export function createSpareLender(
  home: OpenHome,
  worker: ModuleReference<{ readonly dropSpares: typeof dropSpares }>,
): SpareLender {
  let isLent = false;
  let mayBeLeft = false;
  return {
    async lend(make) {
      if (isLent) return make(false);
      isLent = mayBeLeft = true;
      try {
        return await make(true);
      } finally {
        isLent = false;
      }
    },
    async drop() {
      if (!mayBeLeft) return;
      const log = (error: unknown) => home.logger.warn({ err: error }, "a spare layer is left until the next opening");
      await home.pool.run(worker, "dropSpares", home.path).catch(log);
    },
  };
}
