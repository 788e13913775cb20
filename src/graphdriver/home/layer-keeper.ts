import type { ModuleReference, WorkerPool } from "../../workers/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import type { RemoveOptions } from "../driver.ts";
import { deleteTrashed, emptyTrashBehind, type TrashJobs } from "./delete-trashed.ts";
import { createLineage, type Lineage } from "./lineage/lineage.ts";
import type { OpenHome } from "./open-home.ts";
import type { Parents } from "./lineage/relations.ts";

/** Makes and removes layers as every driver does: none loses the one that it lies on, and files go behind the lock. */
export interface LayerKeeper {
  readonly lineage: Lineage;
  /** Has `make` make a layer on `parent`, on the pool of the call; nobody else has either of the two meanwhile. */
  make<T>(
    id: string,
    parent: string | undefined,
    make: (pool: WorkerPool) => Promise<T>,
    call: CallOptions | undefined,
  ): Promise<T>;
  /**
   * Has `discard` take a layer out of the store, in one step, which answers by what name it lies in the trash; that is
   * emptied once nobody waits for the layer any more.
   * @throws FAILED_PRECONDITION when another layer lies on it, unless it goes `evenWithChildren`.
   */
  remove(
    id: string,
    options: RemoveOptions | undefined,
    discard: () => Promise<string | undefined>,
    call: CallOptions | undefined,
  ): Promise<void>;
}

/** What a driver runs on workers for it. */
export interface LayerKeeperJobs extends TrashJobs {
  /** Costs a look at each layer. */
  readParents(home: string): Parents | Promise<Parents>;
}

/** Of a home that is being opened: what it holds in the trash is deleted from here on, behind whatever else is done. */
export function createLayerKeeper(
  home: OpenHome,
  worker: ModuleReference<LayerKeeperJobs>,
  exists: (id: string) => Promise<boolean>,
): LayerKeeper {
  const lineage = createLineage({ readParents: () => home.pool.run(worker, "readParents", home.path), exists });
  void emptyTrashBehind(home, worker);
  return {
    lineage,
    make(id, parent, make, call) {
      const { locks, pool } = home.within(call);
      return locks.withChild(id, parent, () => lineage.making(id, parent, () => make(pool)));
    },
    async remove(id, options = {}, discard, call) {
      const { locks } = home.within(call);
      const trashed = await locks.withLock(id, () => lineage.removing(id, options, discard));
      await deleteTrashed(home, worker, trashed, options.onGone);
    },
  };
}
