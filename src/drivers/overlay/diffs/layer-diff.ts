/** A layer's diff out of its folder, and layers out of the store. These functions block and run on workers. */
import { readdirSync } from "node:fs";
import { CleatError, toCleatError, withSubject } from "../../../errors/index.ts";
import {
  type ArchiveDialect,
  archiveTree,
  fitsWithin,
  type IdRanges,
  overlayChanges,
  type OverlayPrefix,
  removeForGood,
  removeTree,
  type TreeChange,
  type TreeLimit,
  treeSize,
  type WhiteoutConvention,
  withFolderAt,
} from "../../../layer/index.ts";
import {
  close,
  errnos,
  lastErrno,
  MNT_DETACH,
  O_PATH,
  readMounts,
  tryOpenat,
  tryUnlinkat,
  umountIfMounted,
} from "../../../syscall/index.ts";
import { createSyncRingWriter, type Ring } from "../../../workers/index.ts";
import {
  discardOrRemove,
  isStagedOrTrashed,
  removeIfPossible,
  stagedTreeOf,
  stagingFolder,
  sweep,
  writeChanges,
} from "../../../graphdriver/job-kit.ts";
import { exactFolder, linksFolder, lowerFolders, readLayer } from "../layout/layout.ts";
import { finishRebases } from "../layers/rebase-layer.ts";

export interface ArchiveDiffOptions {
  readonly ids: IdRanges;
  readonly archiveDialect: ArchiveDialect;
  readonly attributePrefix: OverlayPrefix;
}

/** Archives the layer's diff folder into `ring`. */
export function archiveDiff(
  home: string,
  id: string,
  ring: Ring,
  { attributePrefix, ...options }: ArchiveDiffOptions,
): void {
  const whiteouts: WhiteoutConvention = { kind: "overlay", attributePrefix };
  const sink = createSyncRingWriter(ring);
  try {
    withFolderAt(`${home}/${id}/diff`, (folder) => archiveTree(folder, sink, { whiteouts, ...options }));
    sink.finish();
  } catch (error) {
    sink.abort();
    throw withSubject(error, `layer "${id}"`);
  }
}

/** What is archived at once: its archive is an answer of one piece, and costs its thread no longer than a hand-over. */
const small: TreeLimit = { entries: 32, sizeBytes: 16 * 1024 };
/** No longer is the archive of what is small; of files that grow meanwhile it would not end before memory does. */
const smallArchiveBytes = 128 * 1024;

/** Whether little lies in the layer's diff folder, and was looked at by `untilMs`: costs some looks at what does. */
export function isSmallDiff(home: string, id: string, untilMs = Number.POSITIVE_INFINITY): boolean {
  return withFolderAt(`${home}/${id}/diff`, (folder) => fitsWithin(folder, { ...small, untilMs }));
}

/** The archive of the layer's diff folder where little lies in it, else `undefined`. */
export function archiveSmallDiff(home: string, id: string, options: ArchiveDiffOptions): Uint8Array | undefined {
  try {
    if (!isSmallDiff(home, id)) return undefined;
  } catch (error) {
    throw withSubject(error, `layer "${id}"`);
  }
  return archiveAtOnce(home, id, options);
}

/**
 * The same for who has looked at it (`isSmallDiff`), which is not done again; `undefined`, too, where an entry of it is
 * still to be read at `untilMs`, by `performance.now()`.
 */
export function archiveAtOnce(
  home: string,
  id: string,
  { attributePrefix, ...options }: ArchiveDiffOptions,
  untilMs = Number.POSITIVE_INFINITY,
): Uint8Array | undefined {
  const whiteouts: WhiteoutConvention = { kind: "overlay", attributePrefix };
  const pieces: Uint8Array[] = [];
  let leftBytes = smallArchiveBytes;
  let isLate = false;
  const throwIfLate = (): void => {
    isLate = performance.now() > untilMs;
    if (isLate) throw new CleatError("ABORTED", "it takes long to read");
  };
  const write = (bytes: Uint8Array): void => {
    leftBytes -= bytes.length;
    if (leftBytes < 0) throw new CleatError("ABORTED", "it has grown while it was archived");
    pieces.push(new Uint8Array(bytes)); // a copy, for what is handed over is the whole memory of which bytes are a part
  };
  try {
    return withFolderAt(`${home}/${id}/diff`, (folder) => {
      archiveTree(folder, { write }, { whiteouts, ...options }, throwIfLate);
      return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    });
  } catch (error) {
    if (leftBytes < 0 || isLate) return undefined;
    throw withSubject(error, `layer "${id}"`);
  }
}

/** Writes what the layer changes relative to its parent, from its diff folder alone, as `readChanges` reads it. */
export function sendChangesOfDiff(home: string, id: string, ring: Ring, attributePrefix: OverlayPrefix): void {
  const sink = createSyncRingWriter(ring);
  try {
    writeChanges(changesOfDiff(home, id, attributePrefix), sink);
    sink.finish();
  } catch (error) {
    sink.abort();
    throw error;
  }
}

function changesOfDiff(home: string, id: string, attributePrefix: OverlayPrefix): TreeChange[] {
  try {
    const lowers = lowerFolders(home, readLayer(home, id));
    return withFolderAt(`${home}/${id}/diff`, (upper) => overlayChanges(upper, lowers, attributePrefix));
  } catch (error) {
    throw withSubject(error, `layer "${id}"`);
  }
}

export function sizeOfDiff(home: string, id: string): number {
  return withFolderAt(`${home}/${id}/diff`, treeSize);
}

/**
 * Takes a layer out of the store in one step. Returns the name under which `emptyTrash` deletes it; not there is
 * success.
 */
export function discardLayer(home: string, id: string): string | undefined {
  const link = readLinkOf(home, id);
  return withFolderAt(home, (folder) => {
    try {
      const trashed = discardOrRemove(folder, id, () => removeInPlace(folder, id));
      if (link !== undefined) removeTree(folder, `${linksFolder}/${link}`);
      return trashed;
    } catch (error) {
      const cleat = toCleatError(error, `layer "${id}" cannot be removed`);
      if (cleat.code === "NOT_FOUND") return undefined;
      throw cleat;
    }
  });
}

/** Without its link it is not a layer any more, wherever this breaks off; who removes it again deletes the rest. */
function removeInPlace(home: number, id: string): void {
  removeTree(home, `${id}/link`);
  removeForGood(home, id);
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
  unmountLeft(home);
  dropWaitingRecords(home);
  finishRebases(home);
  sweep(home);
  withFolderAt(home, (folder) => {
    for (const link of readdirSync(`${home}/${linksFolder}`)) {
      const path = `${linksFolder}/${link}`;
      if (leadsNowhere(folder, path)) removeIfPossible(tryUnlinkat, folder, path);
    }
  });
}

/**
 * A process that was killed while it tried out whether it can mount (`overlay2/probe/probe.ts`), or while it removed a
 * layer, left a mount; others may be mounted in that, and go with it.
 */
function unmountLeft(home: string): void {
  for (const { mountPoint } of readMounts().toReversed()) {
    if (isStagedOrTrashed(home, mountPoint)) umountIfMounted(mountPoint, MNT_DETACH);
  }
}

/** What cannot be looked at, as on a disk that fails for a moment, is there: without links all layers were lost. */
function leadsNowhere(home: number, path: string): boolean {
  const target = tryOpenat(home, path, O_PATH);
  if (target < 0) return lastErrno() === errnos.ENOENT || lastErrno() === errnos.ENOTDIR;
  close(target);
  return false;
}

/**
 * Records whose tree is still staged would seem to have got it once staging is swept. Where nothing is staged, none
 * waits.
 */
export function dropWaitingRecords(home: string): void {
  if (readdirSync(`${home}/${stagingFolder}`).length === 0) return;
  withFolderAt(home, (folder) => {
    for (const id of readdirSync(home)) {
      if (stagedTreeOf(home, exactFolder(id)) !== undefined) removeTree(folder, exactFolder(id));
    }
  });
}
