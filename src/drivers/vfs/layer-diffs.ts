import {
  assertLayerId,
  createDiffGetter,
  createNaiveDiff,
  type DiffOptions,
  newestArchiveDialect,
  type OpenHome,
  reportApplied,
  streamExactDiff,
  withUndoBehind,
} from "../../graphdriver/kit.ts";
import type { CallOptions, GraphDriver } from "../../graphdriver/index.ts";
import { isThere } from "../../syscall/index.ts";
import type { ModuleReference, Ring } from "../../workers/index.ts";
import type * as jobs from "./jobs.ts";
import { exactFolder, layerPath, unfilledFolder } from "./layout.ts";

/** What of the driver its diffs stand on. */
export interface LayerAccess extends Pick<GraphDriver, "get" | "put"> {
  /** Makes a layer anew that is half made, before anybody sees it. */
  undoFilling(id: string, call: CallOptions | undefined): Promise<void>;
}

/** Diffs of whole copies: given back where they were kept, and found by comparing trees else. */
export function createLayerDiffs(
  home: OpenHome,
  worker: ModuleReference<typeof jobs>,
  { get, put, undoFilling }: LayerAccess,
  { archiveDialect, exactDiffs, strictAttributes }: DiffOptions,
): Required<Pick<GraphDriver, "diff" | "changes" | "diffSize" | "diffGetter" | "applyDiff">> {
  const { path, pool, ids, durability, squash, userNamespace, locks } = home;
  const applyOptions = { ids, durability, squash, userNamespace, exactDiffs, strictAttributes };
  const naive = createNaiveDiff({ get, put }, home, worker, {
    ids,
    archiveDialect: squash ? newestArchiveDialect : archiveDialect,
  });

  return {
    ...naive,
    async diff(id, parent, call) {
      await get(id, {}, call);
      if (parent !== undefined) assertLayerId(parent);
      const paths = { tree: layerPath(path, id), folder: exactFolder(id) };
      return streamExactDiff(home.within(call), worker, id, parent, paths) ?? naive.diff(id, parent, call);
    },
    diffGetter: async (id, call) => createDiffGetter(await get(id, {}, call), pool, worker),
    async applyDiff(id, parent, source, call) {
      const wanted = home.within(call);
      assertLayerId(id);
      await undoFilling(id, call);
      return withUndoBehind(home, worker, call?.signal, (trashName) =>
        wanted.locks.withLock(id, () => {
          if (isThere(`${path}/${unfilledFolder}/${id}`)) locks.markChanged(id);
          const options = { ...applyOptions, trashName };
          const apply = (ring: Ring) => wanted.pool.run(worker, "applyDiff", path, id, parent, ring, options);
          const fill = () => pool.consume(source, apply);
          return reportApplied(home.logger, id, home.whileFilling(fill));
        }),
      );
    },
  };
}
