/** A layer's diff out of its folder, and into it. These functions block and run on workers. */
import { existsSync, mkdirSync, readdirSync, unlinkSync } from "node:fs";
import { CleatError, toCleatError, withSubject } from "../../errors/index.ts";
import {
  applyLayer,
  archiveTree,
  type IdRanges,
  createIdMaps,
  overlayChanges,
  removeTree,
  type TreeChange,
  treeSize,
  type WhiteoutConvention,
  withFolder,
  withFolderAt,
} from "../../layer/index.ts";
import {
  chownat,
  fsync,
  openPath,
  close,
  MNT_DETACH,
  O_DIRECTORY,
  O_RDONLY,
  readMounts,
  renameat2,
  syncfs,
  umount2,
} from "../../syscall/index.ts";
import { createSyncRingReader, createSyncRingWriter, type Ring } from "../../workers/index.ts";
import type { Durability } from "../driver.ts";
import { discard, ownFolder, stagingPath, sweep, uniqueName } from "../home.ts";
import { linksFolder, lowerFolders, readLayer } from "./layout.ts";

const attributePrefix = "trusted.";
const whiteouts: WhiteoutConvention = { kind: "overlay", attributePrefix };

export interface ApplyDiffOptions {
  readonly ids: IdRanges;
  readonly durability: Durability;
}

/**
 * Unpacks the archive in `ring` beside the store and makes it the layer's diff folder in one rename.
 * @throws FAILED_PRECONDITION when the diff folder is not empty.
 */
export function applyDiff(home: string, id: string, ring: Ring, options: ApplyDiffOptions): number {
  const source = createSyncRingReader(ring);
  const staged = stagingPath(uniqueName());
  try {
    if (readdirSync(`${home}/${id}/diff`).length > 0) {
      throw new CleatError("FAILED_PRECONDITION", "it holds changes already; a diff is applied to a new layer");
    }
    mkdirSync(`${home}/${staged}`, { mode: 0o755 });
    const ids = createIdMaps(options.ids);
    const sizeBytes = withFolderAt(`${home}/${staged}`, (folder) => {
      chownat(folder, ".", ids.uids.hostRoot, ids.gids.hostRoot);
      const size = applyLayer(source, folder, {
        whiteouts,
        ids: options.ids,
        syncFiles: options.durability === "file",
      });
      if (options.durability !== "none") syncfs(folder);
      return size;
    });
    withFolderAt(home, (folder) => {
      renameat2(folder, staged, folder, `${id}/diff`);
      if (options.durability !== "none") withFolder(folder, id, fsync);
    });
    return sizeBytes;
  } catch (error) {
    throw withSubject(error, `layer "${id}"`);
  } finally {
    source.leave();
    withFolderAt(home, (folder) => removeTree(folder, staged));
  }
}

export interface ArchiveDiffOptions {
  readonly ids: IdRanges;
  readonly userNames: boolean;
}

/** Archives the layer's diff folder into `ring`. */
export function archiveDiff(home: string, id: string, ring: Ring, options: ArchiveDiffOptions): void {
  const sink = createSyncRingWriter(ring);
  try {
    withFolderAt(`${home}/${id}/diff`, (folder) => archiveTree(folder, sink, { whiteouts, ...options }));
    sink.finish();
  } catch (error) {
    sink.abort();
    throw withSubject(error, `layer "${id}"`);
  }
}

/** What the layer changes relative to its parent, from its diff folder alone. */
export function changesOfDiff(home: string, id: string): TreeChange[] {
  const lowers = lowerFolders(home, readLayer(home, id)).map((path) => openPath(path, O_RDONLY | O_DIRECTORY));
  try {
    return withFolderAt(`${home}/${id}/diff`, (upper) => overlayChanges(upper, lowers, attributePrefix));
  } catch (error) {
    throw withSubject(error, `layer "${id}"`);
  } finally {
    for (const lower of lowers) close(lower);
  }
}

export function sizeOfDiff(home: string, id: string): number {
  return withFolderAt(`${home}/${id}/diff`, treeSize);
}

/** Takes a layer out of the store in one step. Returns the name under which `emptyTrash` deletes it; not there is success. */
export function discardLayer(home: string, id: string): string | undefined {
  const link = readLinkOf(home, id);
  return withFolderAt(home, (folder) => {
    try {
      const trashed = discard(folder, id);
      if (link !== undefined) removeTree(folder, `${linksFolder}/${link}`);
      return trashed;
    } catch (error) {
      const cleat = toCleatError(error, `layer "${id}" cannot be removed`);
      if (cleat.code === "NOT_FOUND") return undefined;
      throw cleat;
    }
  });
}

/** A layer whose files are damaged can still be removed; its link is swept at the next start. */
function readLinkOf(home: string, id: string): string | undefined {
  try {
    return readLayer(home, id).link;
  } catch (error) {
    if (error instanceof CleatError) return undefined;
    throw error;
  }
}

/** Removes what a crash left: staged and trashed layers, and links whose layer never came to be or is gone. */
export function sweepStore(home: string): void {
  // A process that was killed while it tried out whether it can mount (`probe.ts`), or while it removed a layer, left a mount.
  const left = readMounts().filter(({ mountPoint }) => mountPoint.startsWith(`${home}/${ownFolder}/`));
  for (const { mountPoint } of left) umount2(mountPoint, MNT_DETACH);
  sweep(home);
  for (const link of readdirSync(`${home}/${linksFolder}`)) {
    const path = `${home}/${linksFolder}/${link}`;
    if (!existsSync(path)) unlinkSync(path);
  }
}
