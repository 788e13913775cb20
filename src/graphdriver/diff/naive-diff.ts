import type { ModuleReference, Ring, WorkerPool } from "../../workers/index.ts";
import { readChanges } from "./change-records.ts";
import type { GraphDriver } from "../driver.ts";
import { toLayerError } from "../layer-error.ts";
import type { LayerLocks } from "../home/layer-locks.ts";
import type * as NaiveJobs from "./naive-jobs.ts";
import type { ArchiveTreeOptions } from "./naive-jobs.ts";
import { naiveJobsUrl } from "./naive-jobs.ts";

const jobs: ModuleReference<typeof NaiveJobs> = { url: naiveJobsUrl };

/**
 * `diff`, `changes` and `diffSize` for any driver, by comparing the two trees that `get` shows: right for every pair of
 * layers, at the price of a walk of both, on one worker, in step. What is found streams out while the walk goes on, so that
 * memory does not grow with the layers (`findChanges` and `archiveDifference` in `layer` say by how much), but for the list
 * that `changes` answers. What is changed or removed meanwhile is ABORTED, and never taken for a tree.
 */
export type NaiveDiff = Pick<GraphDriver, "diff" | "changes" | "diffSize">;

export function createNaiveDiff(
  driver: Pick<GraphDriver, "get" | "put">,
  { pool, locks }: { readonly pool: WorkerPool; readonly locks: LayerLocks },
  options: ArchiveTreeOptions,
): NaiveDiff {
  /** Makes both trees visible; `release` gives them back. */
  async function getTrees(id: string, parent: string | undefined): Promise<Trees> {
    const path = await driver.get(id, {});
    if (parent === undefined) return { path, parentPath: undefined, release: () => driver.put(id) };
    try {
      const parentPath = await driver.get(parent, {});
      return { path, parentPath, release: () => driver.put(parent).finally(() => driver.put(id)) };
    } catch (error) {
      await driver.put(id);
      throw error;
    }
  }

  async function withTrees<T>(id: string, parent: string | undefined, use: (trees: Trees) => Promise<T>): Promise<T> {
    const trees = await getTrees(id, parent);
    return locks.unlessChanged([id, parent], () => use(trees)).finally(trees.release);
  }

  return {
    async diff(id, parent) {
      const { path, parentPath, release } = await getTrees(id, parent);
      const archive = (ring: Ring) => pool.run(jobs, "archiveDifference", path, parentPath, ring, options);
      const archiveUnchanged = (ring: Ring) =>
        locks
          .unlessChanged([id, parent], () => archive(ring))
          .catch((error: unknown) => Promise.reject(toLayerError(error, id)));
      return pool.produce(archiveUnchanged, release);
    },
    changes: (id, parent) =>
      withTrees(id, parent, ({ path, parentPath }) =>
        readChanges(pool.produce((ring) => pool.run(jobs, "sendChanges", path, parentPath, ring))),
      ),
    diffSize: (id, parent) =>
      withTrees(id, parent, ({ path, parentPath }) => pool.run(jobs, "sizeOfDifference", path, parentPath)),
  };
}

interface Trees {
  readonly path: string;
  readonly parentPath: string | undefined;
  release(): Promise<void>;
}
