/** Applying a diff to a layer, all or nothing. These functions block and run on workers. */
import { existsSync } from "node:fs";
import { CleatError, withSubject } from "../../errors/index.ts";
import { applyLayer, compareTrees, type IdRanges, withFolder, withFolderAt } from "../../layer/index.ts";
import {
  fstat,
  fsync,
  isSubvolume,
  readNames,
  RENAME_EXCHANGE,
  renameat2,
  snapshotSubvolume,
  subvolumeInfo,
  syncfs,
} from "../../syscall/index.ts";
import { createSyncRingReader, type Ring } from "../../workers/index.ts";
import type { Durability } from "../driver.ts";
import { stagingFolder, uniqueName } from "../home.ts";
import { layerPath, layersFolder } from "./layout.ts";
import { limitSubvolume, recordedLimit } from "./layer-size.ts";
import { removeSubvolumes } from "./remove-subvolumes.ts";

export interface ApplyDiffOptions {
  readonly ids: IdRanges;
  readonly durability: Durability;
  /** Whether nobody was given the layer's path since it was made; otherwise it is compared with its parent. */
  readonly untouched: boolean;
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
  options: ApplyDiffOptions,
): number {
  const source = createSyncRingReader(ring);
  const { ids, durability, untouched } = options;
  const staged = uniqueName();
  try {
    return withFolderAt(home, (folder) =>
      withFolder(folder, stagingFolder, (staging) => {
        try {
          stageCopy(home, id, parent, staging, staged, untouched);
          const sizeBytes = withFolder(staging, staged, (tree) => {
            const size = applyLayer(source, tree, {
              whiteouts: { kind: "delete" },
              ids,
              syncFiles: durability === "file",
            });
            // Before the exchange: a commit in between would keep the names and not yet the content.
            if (durability !== "none") syncfs(tree);
            return size;
          });
          renameat2(staging, staged, folder, `${layersFolder}/${id}`, RENAME_EXCHANGE);
          if (durability !== "none") withFolder(folder, layersFolder, fsync);
          return sizeBytes;
        } finally {
          removeSubvolumes(staging, staged);
        }
      }),
    );
  } catch (error) {
    throw withSubject(error, `layer "${id}"`);
  } finally {
    source.leave();
  }
}

function stageCopy(
  home: string,
  id: string,
  parent: string | undefined,
  staging: number,
  staged: string,
  untouched: boolean,
): void {
  if (!existsSync(layerPath(home, id))) throw new CleatError("NOT_FOUND", "it does not exist");
  withFolderAt(layerPath(home, id), (layer) => {
    assertAsCreated(home, layer, parent, untouched);
    snapshotSubvolume(layer, staging, staged);
  });
  // A snapshot has a group of its own, without the limit.
  const limitBytes = recordedLimit(home, id);
  if (limitBytes !== undefined) withFolder(staging, staged, (copy) => limitSubvolume(copy, limitBytes));
}

/**
 * What the kernel knows the layer to be a snapshot of tells whether it lies on `parent`, and whether it has had its diff, since that
 * makes it a snapshot of what it was before. Whether somebody wrote through the path that `get` gave takes a walk of both trees.
 */
function assertAsCreated(home: string, layer: number, parent: string | undefined, untouched: boolean): void {
  if (parent === undefined) {
    if (!isMadeFrom(layer, undefined) || withFolder(layer, ".", readNames).length > 0) throw notAsCreated(parent);
    return;
  }
  if (!existsSync(layerPath(home, parent))) throw new CleatError("NOT_FOUND", `parent "${parent}" does not exist`);
  withFolderAt(layerPath(home, parent), (below) => {
    const isOnParent = isMadeFrom(layer, subvolumeInfo(below).uuid);
    if (!isOnParent || !(untouched || compareTrees(layer, below).length === 0)) throw notAsCreated(parent);
  });
}

function isMadeFrom(layer: number, uuid: string | undefined): boolean {
  return isSubvolume(fstat(layer)) && subvolumeInfo(layer).sourceUuid === uuid;
}

function notAsCreated(parent: string | undefined): CleatError {
  const where = parent === undefined ? "without a parent" : `on layer "${parent}"`;
  return new CleatError("FAILED_PRECONDITION", `it was not just created ${where}, or holds changes already`);
}
