import {
  assertLayerId,
  createDiffGetter,
  createNaiveDiff,
  type DiffOptions,
  type OpenHome,
  reportApplied,
  streamExactDiff,
  withUndoBehind,
} from "../../graphdriver/kit.ts";
import type { GraphDriver } from "../../graphdriver/index.ts";
import type { ModuleReference, Ring } from "../../workers/index.ts";
import type * as jobs from "./jobs.ts";
import { exactFolder, layerPath } from "./layout.ts";

/** What of the driver its diffs stand on. */
export interface LayerAccess extends Pick<GraphDriver, "get" | "put"> {
  /** @throws NOT_FOUND. For whoever has the layer's lock. */
  assertExists(id: string): Promise<void>;
  /** Layers made by this process whose path nobody was given: they are as `create` left them, without a look. */
  readonly untouched: Set<string>;
}

/** Diffs of subvolumes: given back where they were kept, and found by comparing trees else. */
export function createLayerDiffs(
  home: OpenHome,
  worker: ModuleReference<typeof jobs>,
  { get, put, assertExists, untouched }: LayerAccess,
  { archiveDialect, exactDiffs, strictAttributes }: DiffOptions,
): Required<Pick<GraphDriver, "diff" | "changes" | "diffSize" | "diffGetter" | "applyDiff">> {
  const { path, pool, ids, durability, locks } = home;
  const naive = createNaiveDiff({ get, put }, home, worker, { ids, archiveDialect });

  return {
    ...naive,
    async diff(id, parent, call) {
      await home.within(call).locks.whileUnchanged(id, () => assertExists(id));
      const paths = { tree: layerPath(path, id), folder: exactFolder(id) };
      return streamExactDiff(home.within(call), worker, id, parent, paths) ?? naive.diff(id, parent, call);
    },
    async diffGetter(id, call) {
      return home.within(call).locks.whileUnchanged(id, async () => {
        await assertExists(id);
        return createDiffGetter(layerPath(path, id), pool, worker);
      });
    },
    async applyDiff(id, parent, source, call) {
      const wanted = home.within(call);
      assertLayerId(id);
      if (parent !== undefined) assertLayerId(parent);
      const options = { ids, durability, exactDiffs, strictAttributes };
      return withUndoBehind(home, worker, call?.signal, (stagedName) =>
        wanted.locks.withLock(id, async () => {
          const job = { ...options, stagedName, untouched: untouched.has(id) };
          const apply = (ring: Ring) => wanted.pool.run(worker, "applyDiff", path, id, parent, ring, job);
          const fill = () => pool.consume(source, apply);
          const sizeBytes = await reportApplied(home.logger, id, home.whileFilling(fill));
          untouched.delete(id);
          locks.markChanged(id); // what it was before is deleted
          return sizeBytes;
        }),
      );
    },
  };
}
