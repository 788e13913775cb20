import type { Readable } from "node:stream";
import { CleatError } from "../../errors/index.ts";
import { isThere } from "../../syscall/index.ts";
import type { ModuleReference, Ring } from "../../workers/index.ts";
import {
  assertLayerId,
  hasStayedWhole,
  type Lineage,
  listLayers,
  type OpenHome,
  recordWhole,
  reportApplied,
  type sendExactDiff,
  streamExactDiff,
  type TrashJobs,
  type usageOfTree,
  withUndoBehind,
} from "../../graphdriver/kit.ts";
import type { CallOptions, GraphDriver } from "../../graphdriver/index.ts";
import type { applyDiff, ApplyDiffJobOptions } from "./diffs/apply-diff.ts";
import { exactFolder, linksFolder, lowerFolders, parentOf, readLayer } from "./layout/layout.ts";
import type { mendLayers } from "./layers/mend-layers.ts";
import { createMountedLayers, type LayerMounts, type MountedLayers } from "./mounts/mounted-layers.ts";
import { mountSpecOf, type OverlayMounter } from "./mounts/mount-specs.ts";
import type { readLayers } from "./layout/read-parents.ts";
import type { rebaseLayer } from "./layers/rebase-layer.ts";

/** What drivers of overlay's layout do alike, whoever makes their mounts. */
export interface LayeredStore
  extends MountedLayers, Required<Pick<GraphDriver, "exists" | "metadata" | "list" | "usage" | "mend">> {
  /** @throws INVALID_ARGUMENT for what is not a layer id, and for the name of the folder of links. */
  assertId(id: string): void;
  /**
   * Whether `parent` lies right below. @throws NOT_FOUND when there is no such layer, FAILED_PRECONDITION when its own
   * is gone.
   */
  isDirectParent(id: string, parent: string | undefined): boolean;
  /**
   * The archive that the layer was filled from, where it is kept, and `parent` is the layer's own, as whoever has
   * looked already says. @throws as `isDirectParent`.
   */
  exactDiff(
    id: string,
    parent: string | undefined,
    call: CallOptions | undefined,
    isDirect?: boolean,
  ): Readable | undefined;
  /**
   * `applyDiff` of the contract.
   * @throws FAILED_PRECONDITION for a layer that cannot take the diff of a new one.
   */
  applyDiff(
    id: string,
    parent: string | undefined,
    source: AsyncIterable<Uint8Array>,
    options: Omit<ApplyDiffJobOptions, "stagedName">,
    call: CallOptions | undefined,
  ): Promise<number>;
  /** `mounts` of the contract, for whoever mounts so. */
  mounts(mounter: OverlayMounter): NonNullable<GraphDriver["mounts"]>;
  /** `rebase` of the contract, for a driver that stacks so many layers. */
  rebase(lineage: Lineage, maxDepth: number): NonNullable<GraphDriver["rebase"]>;
}

/** What a driver of overlay's layout runs on workers, as its own way of mounting has it. */
export interface LayeredStoreJobs extends TrashJobs {
  readonly sendExactDiff: typeof sendExactDiff;
  readonly readLayers: typeof readLayers;
  readonly usageOfTree: typeof usageOfTree;
  readonly mendLayers: typeof mendLayers;
  readonly rebaseLayer: typeof rebaseLayer;
  readonly applyDiff: typeof applyDiff;
}

export function createLayeredStore(
  driver: string,
  home: OpenHome,
  worker: ModuleReference<LayeredStoreJobs>,
  mounts: LayerMounts,
): LayeredStore {
  const { path, pool } = home;
  const mounted = createMountedLayers(home, mounts);

  const assertId = (id: string): void => assertUnreserved(id, driver);

  function assertUnmountedChildOf(id: string, parent: string | undefined): void {
    const actual = parentOf(path, readLayer(path, id));
    if (actual !== parent) throw precondition(id, `lies on ${show(actual)}, not on ${show(parent)}`);
    if (mounted.isHeld(id)) throw precondition(id, "is mounted; a diff is applied to a new layer");
  }

  return {
    assertId,
    isDirectParent: (id, parent) => isDirectParent(path, id, parent),

    ...mounted,
    async get(id, options, call) {
      assertId(id);
      return mounted.get(id, options, call);
    },
    async put(id, call) {
      assertId(id);
      await mounted.put(id, call);
    },

    async exists(id) {
      assertId(id);
      return isThere(`${path}/${id}/link`);
    },

    async metadata(id) {
      assertId(id);
      return metadataOf(path, id);
    },

    async usage(id, call) {
      assertId(id);
      readLayer(path, id); // which says so where there is none
      const { pool: wanted, locks } = home.within(call);
      return locks.unlessChanged([id], () => wanted.run(worker, "usageOfTree", `${path}/${id}/diff`));
    },

    mounts:
      (mounter) =>
      async (id, { readOnly = false } = {}) => {
        assertId(id);
        return [mountSpecOf(path, id, readOnly, mounter)];
      },

    rebase: (lineage, maxDepth) => async (id, parent, call) => {
      assertId(id);
      if (parent !== undefined) assertId(parent);
      const wanted = home.within(call);
      const rebase = { id, parent, maxDepth, ...home.owner };
      const move = () => wanted.pool.run(worker, "rebaseLayer", path, rebase);
      await wanted.locks.withChild(id, parent, async () => {
        const readParent = (): string | undefined => parentOf(path, readLayer(path, id));
        readParent(); // which says so where there is no layer
        if (mounted.isHeld(id)) throw precondition(id, "is mounted, and cannot be laid on another");
        await lineage.moving(id, parent, move, readParent);
        home.locks.markChanged(id);
      });
    },

    async mend(layers) {
      if (hasStayedWhole(path)) return [];
      const { mended, unread } = await pool.run(worker, "mendLayers", path, layers);
      for (const [id, problem] of unread) home.logger.warn({ id, problem }, "a layer cannot be looked at now");
      if (unread.size === 0) recordWhole(path);
      return mended;
    },

    list: (call) => listLayers(() => home.within(call).pool.run(worker, "readLayers", path)),

    exactDiff(id, parent, call, isDirect = isDirectParent(path, id, parent)) {
      const paths = { tree: `${path}/${id}/diff`, folder: exactFolder(id) };
      return isDirect ? streamExactDiff(home.within(call), worker, id, parent, paths) : undefined;
    },

    async applyDiff(id, parent, source, options, call) {
      assertId(id);
      const wanted = home.within(call);
      return withUndoBehind(home, worker, call?.signal, (stagedName) =>
        wanted.locks.withLock(id, () => {
          assertUnmountedChildOf(id, parent);
          const job = { ...options, stagedName };
          const apply = (ring: Ring) => wanted.pool.run(worker, "applyDiff", path, id, parent, ring, job);
          const fill = () => pool.consume(source, apply);
          return reportApplied(home.logger, id, home.whileFilling(fill));
        }),
      );
    },
  };
}

function assertUnreserved(id: string, driver: string): void {
  assertLayerId(id);
  if (id !== linksFolder) return;
  throw new CleatError("INVALID_ARGUMENT", `layer id "${id}" is reserved by ${driver}'s layout`);
}

function isDirectParent(home: string, id: string, parent: string | undefined): boolean {
  const layer = readLayer(home, id);
  try {
    return parentOf(home, layer) === parent;
  } catch (error) {
    if (parent !== undefined) readLayer(home, parent); // which says so where it is the one that is gone
    throw error;
  }
}

/** As Docker's own driver names the folders of a layer. */
function metadataOf(home: string, id: string): Readonly<Record<string, string>> {
  const lowers = lowerFolders(home, readLayer(home, id));
  const folder = `${home}/${id}`;
  return {
    ...(lowers.length > 0 && { LowerDir: lowers.join(":") }),
    MergedDir: `${folder}/merged`,
    UpperDir: `${folder}/diff`,
    WorkDir: `${folder}/work`,
  };
}

export function precondition(id: string, what: string): CleatError {
  return new CleatError("FAILED_PRECONDITION", `layer "${id}" ${what}`);
}

function show(parent: string | undefined): string {
  return parent === undefined ? "no layer" : `layer "${parent}"`;
}
