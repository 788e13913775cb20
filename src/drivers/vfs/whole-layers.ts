import { CleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../graphdriver/index.ts";
import type { OpenHome } from "../../graphdriver/kit.ts";
import { isThere } from "../../syscall/index.ts";
import type { ModuleReference } from "../../workers/index.ts";
import type * as jobs from "./jobs.ts";
import { fillingFolder } from "./layout.ts";

/** Diffs are applied in place: so a layer may be there and half made. Nobody is to see it so, nor to copy it. */
export interface WholeLayers {
  /**
   * A layer whose diff failed and could not be undone, as on a full disk, or was being applied when a process died, is
   * half made and marked so. It is made anew before anybody sees it; who asks while its diff is being applied waits for
   * that.
   */
  undoFilling(id: string, call: CallOptions | undefined): Promise<void>;
  /**
   * Has `turn` wait for the layer and see it whole. The diff that it waited for may have failed and not been undone;
   * then the layer is made anew, and `turn` taken again.
   */
  onWhole<T>(
    id: string | undefined,
    call: CallOptions | undefined,
    turn: (assertWhole: () => void) => Promise<T>,
  ): Promise<T>;
}

export function createWholeLayers(home: OpenHome, worker: ModuleReference<typeof jobs>): WholeLayers {
  const { path, pool, owner } = home;
  const isHalfMade = (id: string): boolean => isThere(`${path}/${fillingFolder}/${id}`);

  async function undoFilling(id: string, call: CallOptions | undefined): Promise<void> {
    if (!isHalfMade(id)) return;
    const undo = () => pool.run(worker, "undoFilling", path, id, owner.rootUid, owner.rootGid);
    await home.within(call).locks.withLock(id, undo);
  }

  return {
    undoFilling,
    async onWhole(id, call, turn) {
      if (id === undefined) return turn(() => {});
      const halfMade = new CleatError("ABORTED", `layer "${id}" is half made`);
      const assertWhole = (): void => {
        if (isHalfMade(id)) throw halfMade;
      };
      for (;;) {
        await undoFilling(id, call);
        try {
          return await turn(assertWhole);
        } catch (error) {
          if (error !== halfMade) throw error;
        }
      }
    },
  };
}
