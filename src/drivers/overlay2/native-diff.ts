import { emptyArchive, isEmptyFolderAt } from "../../layer/index.ts";
import type { ModuleReference, Ring } from "../../workers/index.ts";
import {
  createDiffGetter,
  type createNaiveDiff,
  type OpenHome,
  readChanges,
  streamArchive,
} from "../../graphdriver/kit.ts";
import type { CallOptions, GraphDriver } from "../../graphdriver/index.ts";
import { type LayeredStore, precondition } from "../overlay/layered-store.ts";
import { isKnownWhole } from "../overlay/mounts/layer-features.ts";
import { readLayer } from "../overlay/layout/layout.ts";
import { type ArchiveDiffOptions, archiveAtOnce, isSmallDiff } from "../overlay/diffs/layer-diff.ts";
import type * as jobs from "./jobs.ts";

export interface NativeDiffOptions extends ArchiveDiffOptions {
  /** Why diff folders cannot be read on this kernel; `undefined` where they can. */
  readonly obstacle: string | undefined;
  /** What compares trees instead. */
  readonly naive: ReturnType<typeof createNaiveDiff>;
}

/** Diffs that are read from a layer's diff folder alone, wherever that holds the whole answer. */
export function createNativeDiff(
  home: OpenHome,
  store: LayeredStore,
  worker: ModuleReference<typeof jobs>,
  { obstacle, naive, ...archiveOptions }: NativeDiffOptions,
): Required<Pick<GraphDriver, "diff" | "changes" | "diffSize" | "diffGetter">> {
  const { path, pool, locks } = home;
  const { assertId } = store;
  const { attributePrefix } = archiveOptions;

  /** Whether what `job` looks at is the answer to what differs from the layer's own parent; trees are compared else. */
  async function isNative(
    job: "isDiffWhole" | "areDiffsWhole",
    id: string,
    isDirect: boolean,
    call: CallOptions | undefined,
  ): Promise<boolean> {
    if (!isDirect || obstacle !== undefined) return false;
    if (job === "isDiffWhole" && isKnownWhole(path, id, attributePrefix)) return true;
    return home.within(call).pool.run(worker, job, path, id, attributePrefix);
  }

  /**
   * On a thread only where what lies there shows by the time it takes that it is not in memory: a disk may take any
   * time, for each inode and for each file's content, and meanwhile nobody else would be answered.
   */
  async function archiveIfSmall(
    id: string,
    onThread: () => Promise<Uint8Array | undefined>,
  ): Promise<Uint8Array | undefined> {
    const lookUntilMs = performance.now() + quickLookMs;
    const isSmall = isSmallDiff(path, id, lookUntilMs);
    const lookedMs = performance.now();
    if (lookedMs < lookUntilMs) {
      if (!isSmall) return undefined;
      const archived = archiveAtOnce(path, id, archiveOptions, lookedMs + quickArchiveMs);
      if (archived !== undefined) return archived;
    }
    return locks.unlessChanged([id], onThread);
  }

  return {
    async diff(id, parent, call) {
      assertId(id);
      const isDirect = store.isDirectParent(id, parent);
      const exact = store.exactDiff(id, parent, call, isDirect);
      if (exact !== undefined) return exact;
      if (!(await isNative("isDiffWhole", id, isDirect, call))) return naive.diff(id, parent, call);
      if (isEmptyFolderAt(`${path}/${id}/diff`)) return streamArchive(emptyArchive);
      const wanted = home.within(call).pool;
      const small = await archiveIfSmall(id, () => wanted.run(worker, "archiveSmallDiff", path, id, archiveOptions));
      if (small !== undefined) return streamArchive(small);
      const archive = (ring: Ring) => wanted.run(worker, "archiveDiff", path, id, ring, archiveOptions);
      return pool.produce((ring) => locks.unlessChanged([id], () => archive(ring)));
    },

    async changes(id, parent, call) {
      assertId(id);
      const isDirect = store.isDirectParent(id, parent);
      if (!(await isNative("areDiffsWhole", id, isDirect, call))) return naive.changes(id, parent, call);
      const find = (ring: Ring) =>
        home.within(call).pool.run(worker, "sendChangesOfDiff", path, id, ring, attributePrefix);
      return locks.unlessChanged([id, parent], () => readChanges(pool.produce(find)));
    },

    async diffSize(id, parent, call) {
      assertId(id);
      const isDirect = store.isDirectParent(id, parent);
      if (!(await isNative("isDiffWhole", id, isDirect, call))) return naive.diffSize(id, parent, call);
      return locks.unlessChanged([id], () => home.within(call).pool.run(worker, "sizeOfDiff", path, id));
    },

    async diffGetter(id) {
      assertId(id);
      readLayer(path, id); // which says so where there is none
      if (!(await pool.run(worker, "isDiffWhole", path, id, attributePrefix))) {
        throw precondition(
          id,
          "was written with overlay's redirect_dir or metacopy; its files are not all in its diff folder",
        );
      }
      return createDiffGetter(`${path}/${id}/diff`, pool, worker);
    },
  };
}

/**
 * So long a look at some dozen inodes takes that are in memory, several times over; one that is read from a disk of
 * spinning plates takes ten times as long. A thread is asked, and answers, in about half of this.
 */
const quickLookMs = 0.4;
/** Files that are in memory are archived in a fraction of this; of those that are not, one may be read by then. */
const quickArchiveMs = 2;
