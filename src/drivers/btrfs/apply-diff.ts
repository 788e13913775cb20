/** Applying a diff to a layer, all or nothing. Blocks, but for the event loop of its worker. */
import { CleatError, isSystemError } from "../../errors/index.ts";
import { removeTree, treesDiffer, type WhiteoutConvention, withFolder, withFolderAt } from "../../layer/index.ts";
import {
  beginCommit,
  close,
  fstat,
  fsync,
  ignoreCancellation,
  isSubvolume,
  isThere,
  O_DIRECTORY,
  O_RDONLY,
  openPath,
  readNames,
  RENAME_EXCHANGE,
  renameat2,
  snapshotSubvolume,
  subvolumeInfo,
  syncfs,
} from "../../syscall/index.ts";
import type { Ring, SyncRingReader } from "../../workers/index.ts";
import {
  type AppliedDiff,
  applyArchive,
  type ApplyDiffOptions,
  discardStaged,
  exactNameOf,
  removeIfPossible,
  stagingFolder,
  stagingPath,
  takeBack,
  trashFolder,
  unpackDiff,
} from "../../graphdriver/job-kit.ts";
import { exactDiffsFolder, exactFolder, layerPath, layersFolder } from "./layout.ts";
import { limitSubvolume, recordedLimit } from "./layer-size.ts";
import { withKnownSame } from "./known-same.ts";
import { removeSubvolumes } from "./remove-subvolumes.ts";

export interface ApplyDiffJobOptions extends ApplyDiffOptions {
  /** Whether nobody was given the layer's path since it was made; otherwise it is compared with its parent. */
  readonly untouched: boolean;
  /** Under which the diff is staged, and lies in the trash where it could not be applied. */
  readonly stagedName: string;
}

/** Names in the open folder of what is staged. */
interface Staged {
  readonly tree: string;
  readonly exact: string | undefined;
}

/**
 * Unpacks the archive in `ring` into a snapshot of a layer that was just created, and exchanges the two in one step.
 * @throws FAILED_PRECONDITION when the layer is not as `create` left it on `parent`.
 */
export function applyDiff(
  home: string,
  id: string,
  parent: string | undefined,
  ring: Ring,
  options: ApplyDiffJobOptions,
): Promise<AppliedDiff> {
  const staged: Staged = {
    tree: options.stagedName,
    exact: options.exactDiffs ? exactNameOf(options.stagedName) : undefined,
  };
  return applyArchive(ring, id, async (source) => {
    const staging = openPath(`${home}/${stagingFolder}`, O_RDONLY | O_DIRECTORY);
    try {
      stageCopy(home, id, parent, staging, staged.tree, options.untouched);
      const applied = await unpack(home, parent, source, staged, options);
      commitStaged(home, id, staging, staged, options.durability !== "none");
      deleteFormer(home, staging, staged.tree);
      return applied;
    } catch (error) {
      ignoreCancellation();
      throw takeBack(error, () => {
        withFolderAt(home, (folder) =>
          discardStaged(folder, stagingPath(staged.tree), options.stagedName, removeSubvolumes),
        );
        if (staged.exact !== undefined) removeTree(staging, staged.exact);
      });
    } finally {
      close(staging);
    }
  });
}

async function unpack(
  home: string,
  parent: string | undefined,
  source: SyncRingReader,
  staged: Staged,
  { ids, durability, strictAttributes }: ApplyDiffJobOptions,
): Promise<AppliedDiff> {
  const path = stagingPath(staged.tree);
  const tree = openPath(`${home}/${path}`, O_RDONLY | O_DIRECTORY);
  try {
    const whiteouts: WhiteoutConvention = { kind: "delete" };
    const options = { whiteouts, ids, syncFiles: durability === "file", strictAttributes };
    const { exact } = staged;
    const keep = exact === undefined ? undefined : { folder: `${home}/${stagingPath(exact)}`, parent, staged: path };
    const applied = await unpackDiff(source, tree, options, keep);
    // Before the exchange: a commit in between would keep the names and not yet the content.
    if (durability !== "none") syncfs(tree);
    return applied;
  } finally {
    close(tree);
  }
}

/**
 * Deletes what the layer was before. It is filled by now: whatever fails here is for the next opening, in the trash if
 * possible, since what is kept of the archive waits as long as it is staged.
 */
function deleteFormer(home: string, staging: number, name: string): void {
  try {
    removeSubvolumes(staging, name);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const trash = (): void =>
      withFolderAt(home, (folder) => renameat2(staging, name, folder, `${trashFolder}/${name}`));
    removeIfPossible(trash, staging, name);
  }
}

/**
 * The exchange is the moment at which the layer is filled. What was kept of its archive is there before, and waits
 * until what the layer was before is deleted; whether that or the tree with the diff is still staged after a crash, the
 * file system knows.
 */
function commitStaged(home: string, id: string, staging: number, { tree, exact }: Staged, durable: boolean): void {
  beginCommit();
  withFolderAt(home, (folder) => {
    const exchange = () => renameat2(staging, tree, folder, `${layersFolder}/${id}`, RENAME_EXCHANGE);
    let isFilled = false;
    try {
      if (exact !== undefined) {
        renameat2(staging, exact, folder, exactFolder(id));
        if (durable) withFolder(folder, exactDiffsFolder, fsync);
      }
      exchange();
      isFilled = true;
      if (durable) withFolder(folder, layersFolder, fsync);
    } catch (error) {
      throw takeBack(error, () => {
        if (isFilled) exchange();
        removeTree(folder, exactFolder(id));
      });
    }
  });
}

function stageCopy(
  home: string,
  id: string,
  parent: string | undefined,
  staging: number,
  staged: string,
  untouched: boolean,
): void {
  if (!isThere(layerPath(home, id))) throw new CleatError("NOT_FOUND", "it does not exist");
  withFolderAt(layerPath(home, id), (layer) => {
    assertAsCreated(home, id, layer, parent, untouched);
    snapshotSubvolume(layer, staging, staged);
  });
  // A snapshot has a group of its own, without the limit.
  const limitBytes = recordedLimit(home, id);
  if (limitBytes !== undefined) withFolder(staging, staged, (copy) => limitSubvolume(copy, limitBytes));
}

/**
 * What the kernel knows the layer to be a snapshot of tells whether it lies on `parent`, and whether it has had its
 * diff, since that makes it a snapshot of what it was before. Whether somebody wrote through the path that `get` gave
 * takes a walk of both trees.
 */
function assertAsCreated(
  home: string,
  id: string,
  layer: number,
  parent: string | undefined,
  untouched: boolean,
): void {
  if (parent === undefined) {
    if (!isMadeFrom(layer, undefined) || withFolder(layer, ".", readNames).length > 0) throw notAsCreated(parent);
    return;
  }
  if (!isThere(layerPath(home, parent))) throw new CleatError("NOT_FOUND", `parent "${parent}" does not exist`);
  const isLike = (below: number): boolean =>
    withKnownSame(
      { home, id, parent, newer: layer, older: below },
      (isKnownSame) => !treesDiffer(layer, below, isKnownSame),
    );
  withFolderAt(layerPath(home, parent), (below) => {
    const isOnParent = isMadeFrom(layer, subvolumeInfo(below).uuid);
    if (!isOnParent || !(untouched || isLike(below))) throw notAsCreated(parent);
  });
}

function isMadeFrom(layer: number, uuid: string | undefined): boolean {
  return isSubvolume(fstat(layer)) && subvolumeInfo(layer).sourceUuid === uuid;
}

function notAsCreated(parent: string | undefined): CleatError {
  const where = parent === undefined ? "without a parent" : `on layer "${parent}"`;
  return new CleatError("FAILED_PRECONDITION", `it was not just created ${where}, or holds changes already`);
}
