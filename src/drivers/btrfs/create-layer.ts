/** Making and removing layers. These functions block and run on workers. */
import { readdirSync } from "node:fs";
import { CleatError, isSystemError, withSubject } from "../../errors/index.ts";
import { removeTree, withFolder, withFolderAt } from "../../layer/index.ts";
import {
  beginCommit,
  createSubvolume,
  fstat,
  fsync,
  ignoreCancellation,
  isSubvolume,
  isThere,
  RENAME_NOREPLACE,
  renameat2,
  snapshotSubvolume,
  statIfThere,
  subvolumeInfo,
  tryUnlinkat,
} from "../../syscall/index.ts";
import {
  cleanFolder,
  discardOrRemove,
  emptyTrash as emptyTrashOf,
  forgetLayerRecord,
  isGone,
  orUnread,
  removeIfPossible,
  stagedTreeOf,
  stageLayerRecord,
  stagingFolder,
  sweep,
  sweepLayerRecords,
  takeBack,
  uniqueName,
} from "../../graphdriver/job-kit.ts";
import { exactDiffsFolder, exactFolder, layerPath, layersFolder, quotasFolder } from "./layout.ts";
import { limitSubvolume, recordLimit } from "./layer-size.ts";
import { makeWritableIfRoom, removeInPlace, removeSubvolumes } from "./remove-subvolumes.ts";

export interface NewLayer {
  readonly id: string;
  readonly parent: string | undefined;
  /** Owner of the root folder of a layer without a parent. */
  readonly rootUid: number;
  readonly rootGid: number;
  /** Whether the layer must survive power loss from here on; an image layer need not before it is filled. */
  readonly durable: boolean;
  readonly sizeBytes: number | undefined;
}

/**
 * Makes a layer as a snapshot of its parent, beside the store, and renames it into place. Costs a commit of the file
 * system, whatever the parent's size.
 * @throws ALREADY_EXISTS, NOT_FOUND for the parent, INVALID_ARGUMENT for a size that leaves no room.
 */
export function createLayer(home: string, layer: NewLayer): void {
  const { id, parent, durable, sizeBytes } = layer;
  if (isThere(layerPath(home, id))) throw alreadyExists(id);
  const staged = uniqueName();
  withFolderAt(home, (folder) =>
    withFolder(folder, stagingFolder, (staging) => {
      const record = stageLayerRecord(home);
      const path = `${layersFolder}/${id}`;
      let isPlaced = false;
      try {
        stageLayer(home, staging, staged, layer);
        if (sizeBytes !== undefined) {
          withFolder(staging, staged, (subvolume) => limitSubvolume(subvolume, sizeBytes));
          recordLimit(home, id, sizeBytes, durable);
        }
        removeTree(folder, exactFolder(id)); // Docker's own driver leaves it behind
        // A removal that failed leaves the size of an earlier layer.
        if (sizeBytes === undefined) removeTree(folder, `${quotasFolder}/${id}`);
        beginCommit();
        record.place(id, parent, withFolder(staging, staged, subvolumeInfo).sourceUuid);
        // The record may be lost: the kernel keeps what the layer is a snapshot of, and since when.
        renameat2(staging, staged, folder, path, RENAME_NOREPLACE);
        isPlaced = true;
        if (durable) withFolder(folder, layersFolder, fsync);
      } catch (error) {
        ignoreCancellation();
        if (isSystemError(error, "EEXIST") && !isPlaced) {
          removeSubvolumes(staging, staged);
          throw alreadyExists(id);
        }
        const failure = takeBack(error, () => {
          if (isPlaced) renameat2(folder, path, staging, staged);
          removeSubvolumes(staging, staged);
          removeTree(folder, `${quotasFolder}/${id}`);
        });
        throw withSubject(failure, `layer "${id}" cannot be made`);
      } finally {
        record.discard();
      }
    }),
  );
}

function stageLayer(home: string, staging: number, name: string, { parent, rootUid, rootGid }: NewLayer): void {
  if (parent !== undefined) return snapshotLayer(home, parent, staging, name);
  createSubvolume(staging, name);
  withFolder(staging, name, (subvolume) => {
    cleanFolder(subvolume, 0o755, { uid: rootUid, gid: rootGid });
  });
}

/** @throws NOT_FOUND, FAILED_PRECONDITION when the parent is an ordinary folder, as a copy of a store has them. */
function snapshotLayer(home: string, parent: string, staging: number, name: string): void {
  if (!isThere(layerPath(home, parent))) throw new CleatError("NOT_FOUND", `parent "${parent}" does not exist`);
  withFolderAt(layerPath(home, parent), (source) => {
    if (!isSubvolume(fstat(source)))
      throw new CleatError("FAILED_PRECONDITION", `parent "${parent}" is a folder and no subvolume`);
    snapshotSubvolume(source, staging, name);
  });
}

function alreadyExists(id: string): CleatError {
  return new CleatError("ALREADY_EXISTS", `layer "${id}" exists already`);
}

/**
 * Takes a layer out of the store in one step. Returns the name under which `emptyTrash` deletes it; not there is
 * success.
 */
export function discardLayer(home: string, id: string): string | undefined {
  const path = `${layersFolder}/${id}`;
  return withFolderAt(home, (folder) => {
    const status = statIfThere(folder, path);
    if (status === undefined) return undefined;
    try {
      // Root of a container can make the whole of it read-only.
      if (isSubvolume(status)) withFolder(folder, path, makeWritableIfRoom);
      const trashed = discardOrRemove(folder, path, () =>
        withFolder(folder, layersFolder, (layers) => removeInPlace(layers, id)),
      );
      removeTree(folder, `${quotasFolder}/${id}`);
      removeTree(folder, exactFolder(id));
      forgetLayerRecord(home, id);
      return trashed;
    } catch (error) {
      throw withSubject(error, `layer "${id}" cannot be removed`);
    }
  });
}

/** Deletes what `discardLayer` took out. */
export function emptyTrash(home: string, name: string): void {
  emptyTrashOf(home, name, removeSubvolumes);
}

/**
 * Removes what a crash left: staged and trashed subvolumes, and what belongs to layers that never came to be or are
 * gone.
 */
export function sweepStore(home: string): void {
  sweepExactDiffs(home);
  sweep(home, removeSubvolumes);
  sweepLayerRecords(home, (id) => isGone(layerPath(home, id)));
  if (!isThere(`${home}/${quotasFolder}`)) return;
  withFolderAt(home, (folder) => {
    for (const id of readdirSync(`${home}/${quotasFolder}`)) {
      if (isGone(layerPath(home, id))) removeIfPossible(tryUnlinkat, folder, `${quotasFolder}/${id}`);
    }
  });
}

/** Before staging is swept: what waits for a tree would seem to have got it once there is none. */
export function sweepExactDiffs(home: string): void {
  if (!isThere(`${home}/${exactDiffsFolder}`)) return;
  withFolderAt(home, (folder) => {
    for (const id of readdirSync(`${home}/${exactDiffsFolder}`)) {
      const isOfLayer = orUnread(() => {
        const staged = stagedTreeOf(home, exactFolder(id));
        return isThere(layerPath(home, id)) && (staged === undefined || isExchanged(folder, id, staged));
      });
      if (isOfLayer === false) removeIfPossible(removeTree, folder, exactFolder(id));
    }
  });
}

/** Whether what is staged is the layer as it was before its diff, of which the tree with the diff is a snapshot. */
function isExchanged(home: number, id: string, staged: string): boolean {
  const layer = withFolder(home, `${layersFolder}/${id}`, subvolumeInfo);
  return layer.sourceUuid === withFolder(home, staged, subvolumeInfo).uuid;
}
