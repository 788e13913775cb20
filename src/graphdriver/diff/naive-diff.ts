import type { ModuleReference, Ring } from "../../workers/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import { readChanges } from "./change-records.ts";
import type { GraphDriver } from "../driver.ts";
import type { OpenHome } from "../home/open-home.ts";
import { toLayerError } from "../layer-error.ts";
import type { ArchiveTreeOptions, ComparedLayers, NaiveJobs } from "./naive-jobs.ts";

/**
 * `diff`, `changes` and `diffSize` for any driver, by comparing the two trees that `get` shows: right for every pair of
 * layers, at the price of a walk of both, on one worker, in step, and of reading each file that is alike in both, as
 * far as the driver's jobs do not know that it is the same (`createNaiveJobs`). What is found streams out while the
 * walk goes on, so that memory does not grow with the layers (`findChanges` and `archiveDifference` in `layer` say by
 * how much), but for the list that `changes` answers. What is changed or removed meanwhile is ABORTED, and never taken
 * for a tree.
 */
export type NaiveDiff = Pick<GraphDriver, "diff" | "changes" | "diffSize">;

export function createNaiveDiff(
  driver: Pick<GraphDriver, "get" | "put">,
  home: Pick<OpenHome, "path" | "within">,
  jobs: ModuleReference<NaiveJobs>,
  options: ArchiveTreeOptions,
): NaiveDiff {
  /** Makes both trees visible; `release` gives them back. */
  async function getTrees(id: string, parent: string | undefined, call: CallOptions | undefined): Promise<Trees> {
    const layers = { home: home.path, id, parent };
    if (parent === undefined) {
      const path = await driver.get(id, {}, call);
      return { layers: { ...layers, path, parentPath: undefined }, release: () => driver.put(id) };
    }
    // First, because a layer whose parent is gone may not be shown either, and says less of why.
    const parentPath = await driver.get(parent, {}, call);
    try {
      const path = await driver.get(id, {}, call);
      const release = () => driver.put(id).finally(() => driver.put(parent));
      return { layers: { ...layers, path, parentPath }, release };
    } catch (error) {
      await driver.put(parent);
      throw error;
    }
  }

  async function withTrees<T>(
    id: string,
    parent: string | undefined,
    call: CallOptions | undefined,
    use: (layers: ComparedLayers, pool: OpenHome["pool"]) => Promise<T>,
  ): Promise<T> {
    const { pool, locks } = home.within(call);
    const { layers, release } = await getTrees(id, parent, call);
    return locks.unlessChanged([id, parent], () => use(layers, pool)).finally(release);
  }

  return {
    async diff(id, parent, call) {
      const { pool, locks } = home.within(call);
      const { layers, release } = await getTrees(id, parent, call);
      const archive = (ring: Ring) =>
        locks
          .unlessChanged([id, parent], () => pool.run(jobs, "archiveDifference", layers, ring, options))
          .catch((error: unknown) => Promise.reject(toLayerError(error, id)));
      return pool.produce(archive, release);
    },
    changes: (id, parent, call) =>
      withTrees(id, parent, call, (layers, pool) =>
        readChanges(pool.produce((ring) => pool.run(jobs, "sendChanges", layers, ring))),
      ),
    diffSize: (id, parent, call) =>
      withTrees(id, parent, call, (layers, pool) => pool.run(jobs, "sizeOfDifference", layers)),
  };
}

interface Trees {
  readonly layers: ComparedLayers;
  release(): Promise<void>;
}
