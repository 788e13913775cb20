/** Filling a layer from an archive, all or nothing. Blocks, but for the event loop of its worker. */
import { readdirSync } from "node:fs";
import { CleatError, isSystemError } from "../../../errors/index.ts";
import {
  createIdMaps,
  type OverlayPrefix,
  removeTree,
  type WhiteoutConvention,
  withFolder,
  withFolderAt,
} from "../../../layer/index.ts";
import {
  beginCommit,
  close,
  fsync,
  ignoreCancellation,
  O_DIRECTORY,
  O_RDONLY,
  openPath,
  RENAME_EXCHANGE,
  renameat2,
  syncfs,
} from "../../../syscall/index.ts";
import type { Ring, SyncRingReader } from "../../../workers/index.ts";
import {
  type AppliedDiff,
  applyArchive,
  type ApplyDiffOptions,
  discardStaged,
  exactNameOf,
  makeCleanFolder,
  readExactDiff,
  stagingPath,
  takeBack,
  trashFolder,
  unpackDiff,
} from "../../../graphdriver/job-kit.ts";
import { assertWithinLimit, takeProjectOf } from "../quotas/layer-size.ts";
import { exactFolder, lowerFolders, readLayer } from "../layout/layout.ts";
import type { ProjectQuotas } from "../quotas/project-quotas.ts";
import { writeAnew } from "./write-anew.ts";

export interface ApplyDiffJobOptions extends ApplyDiffOptions {
  readonly attributePrefix: OverlayPrefix;
  readonly userNamespace: boolean;
  /** What limits layers that have a size; undefined where nothing does. */
  readonly quotas: ProjectQuotas | undefined;
  /** Under which the diff is staged, and lies in the trash where it could not be applied. */
  readonly stagedName: string;
}

/** Where things are made, relative to the home. */
interface Staged {
  readonly tree: string;
  readonly exact: string | undefined;
}

/**
 * Unpacks the archive in `ring` beside the store and makes it the layer's diff folder in one rename.
 * @throws FAILED_PRECONDITION when the layer has its diff already, or was written to.
 */
export function applyDiff(
  home: string,
  id: string,
  parent: string | undefined,
  ring: Ring,
  options: ApplyDiffJobOptions,
): Promise<AppliedDiff> {
  const exact = options.exactDiffs ? stagingPath(exactNameOf(options.stagedName)) : undefined;
  const staged: Staged = { tree: stagingPath(options.stagedName), exact };
  return applyArchive(ring, id, async (source) => {
    assertAsCreated(home, id);
    const applied = await unpack(home, id, parent, source, staged, options);
    commitStaged(home, id, staged, options);
    return applied;
  }).catch((error: unknown) => {
    ignoreCancellation();
    throw takeBack(error, () =>
      withFolderAt(home, (folder) => {
        discardStaged(folder, staged.tree, options.stagedName);
        if (exact !== undefined) removeTree(folder, exact);
      }),
    );
  });
}

/** The diff of an empty archive is a diff: what is kept of it tells, where it is kept. */
function assertAsCreated(home: string, id: string): void {
  if (readdirSync(`${home}/${id}/diff`).length === 0 && readExactDiff(home, exactFolder(id)) === undefined) return;
  throw new CleatError("FAILED_PRECONDITION", "it holds changes already; a diff is applied to a new layer");
}

async function unpack(
  home: string,
  id: string,
  parent: string | undefined,
  source: SyncRingReader,
  staged: Staged,
  { ids, durability, attributePrefix, userNamespace, quotas, strictAttributes }: ApplyDiffJobOptions,
): Promise<AppliedDiff> {
  const { uids, gids } = createIdMaps(ids);
  makeCleanFolder(`${home}/${staged.tree}`, 0o755, { uid: uids.hostRoot, gid: gids.hostRoot });
  const tree = openPath(`${home}/${staged.tree}`, O_RDONLY | O_DIRECTORY);
  try {
    takeProjectOf(`${home}/${id}/diff`, tree);
    const whiteouts: WhiteoutConvention = { kind: "overlay", attributePrefix };
    const lowers = lowerFolders(home, readLayer(home, id));
    const syncFiles = durability === "file";
    const options = { whiteouts, ids, lowers, syncFiles, userNamespace, strictAttributes };
    const { exact } = staged;
    const keep = exact === undefined ? undefined : { folder: `${home}/${exact}`, parent, staged: staged.tree };
    const applied = await unpackDiff(source, tree, options, keep);
    if (quotas !== undefined) assertWithinLimit(tree, quotas);
    if (durability !== "none") {
      const files = writeAnew(home, id);
      try {
        syncfs(tree);
        files.take();
      } finally {
        files.discard();
      }
    }
    return applied;
  } finally {
    close(tree);
  }
}

/**
 * The rename of the tree is the moment at which the layer is filled. What was kept of its archive is there before, and
 * says that it waits for the tree, so that whichever rename is the last before a crash, the layer has both or counts as
 * empty. When that cannot be made durable the layer gets back the empty folder that it had.
 */
function commitStaged(home: string, id: string, { tree, exact }: Staged, options: ApplyDiffJobOptions): void {
  const durable = options.durability !== "none";
  beginCommit();
  withFolderAt(home, (folder) => {
    let isFilled = false;
    try {
      if (exact !== undefined) {
        withFolder(folder, exact, (staged) => takeProjectOf(`${home}/${id}`, staged));
        renameat2(folder, exact, folder, exactFolder(id));
        if (durable) withFolder(folder, id, fsync);
      }
      renameat2(folder, tree, folder, `${id}/diff`);
      isFilled = true;
      if (durable) withFolder(folder, id, fsync);
    } catch (error) {
      throw takeBack(error, () => {
        if (isFilled) emptyAgain(home, folder, id, tree, options);
        // As soon as the staged tree is deleted, what waits for it would seem to have got it.
        removeTree(folder, exactFolder(id));
      });
    }
  });
}

/**
 * Exchanges the layer's diff for an empty folder as `create` makes it; the diff is staged again. In a home that hands
 * its project on, ext4 takes nothing of a layer's own project into staging: there the diff goes to the trash, which
 * hands nothing on, and what was kept of its archive goes first. Source: Linux v6.1 `fs/ext4/namei.c`
 * `ext4_cross_rename`.
 */
function emptyAgain(
  home: string,
  folder: number,
  id: string,
  staged: string,
  { ids, stagedName }: Pick<ApplyDiffJobOptions, "ids" | "stagedName">,
): void {
  const { uids, gids } = createIdMaps(ids);
  const [diff, trashed] = [`${id}/diff`, `${trashFolder}/${stagedName}`];
  makeCleanFolder(`${home}/${staged}`, 0o755, { uid: uids.hostRoot, gid: gids.hostRoot });
  withFolder(folder, staged, (empty) => takeProjectOf(`${home}/${diff}`, empty));
  try {
    return renameat2(folder, staged, folder, diff, RENAME_EXCHANGE);
  } catch (error) {
    if (!isSystemError(error, "EXDEV")) throw error;
  }
  removeTree(folder, exactFolder(id));
  renameat2(folder, staged, folder, trashed);
  renameat2(folder, trashed, folder, diff, RENAME_EXCHANGE);
}
