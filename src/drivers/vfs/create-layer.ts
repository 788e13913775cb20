/** Making, resetting and removing layers. These functions block and run on workers. */
import { writeFileSync } from "node:fs";
import { CleatError, isSystemError, withSubject } from "../../errors/index.ts";
import {
  type AskCopyHelp,
  copyFoldersUrl,
  copyTree,
  removeForGood,
  removeTree,
  restoreCopy,
  withFolderAt,
} from "../../layer/index.ts";
import {
  beginCommit,
  ignoreCancellation,
  isThere,
  readNames,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  renameat2,
  syncfs,
} from "../../syscall/index.ts";
import { askBeside } from "../../workers/index.ts";
import {
  discardOrRemove,
  forgetLayerRecord,
  makeCleanFolder,
  removeIfPossible,
  restampLayerRecord,
  type StagedLayerRecord,
  stageLayerRecord,
  stagingPath,
  takeBack,
  trashFolder,
  uniqueName,
} from "../../graphdriver/job-kit.ts";
import { withKnownSame } from "./known-same.ts";
import { exactFolder, fillingFolder, layerPath, layersFolder, unfilledFolder } from "./layout.ts";
import { moveMark } from "./move-mark.ts";
import { openTrashedFiles } from "./move-to-trash.ts";

export interface NewLayer {
  readonly id: string;
  readonly parent: string | undefined;
  /** Owner of the root folder of a layer without a parent. */
  readonly rootUid: number;
  readonly rootGid: number;
  readonly durable: boolean;
}

/**
 * Makes a layer as a copy of its parent, beside the store, and renames it into place. Costs the parent's size where the
 * file system cannot share blocks. The caller sees to it that nobody changes the parent meanwhile.
 * @throws ALREADY_EXISTS, NOT_FOUND for the parent.
 */
export function createLayer(home: string, layer: NewLayer): void {
  const { id, parent } = layer;
  if (isThere(layerPath(home, id))) throw alreadyExists(id);
  if (parent !== undefined && !isThere(layerPath(home, parent))) {
    throw new CleatError("NOT_FOUND", `parent "${parent}" of layer "${id}" does not exist`);
  }
  // Opened before anything is written: the kernel tells a descriptor only of what has failed since (`errseq.rst`).
  withFolderAt(home, (folder) => makeLayer(home, folder, layer));
}

function makeLayer(home: string, folder: number, layer: NewLayer): void {
  const { id, parent, durable } = layer;
  const staged = stagingPath(uniqueName());
  const path = `${layersFolder}/${id}`;
  const record = stageLayerRecord(home);
  let isPlaced = false;
  try {
    stageTree(home, staged, layer);
    // Of a durable layer it comes with the rest; of another it must be there, whole, before a diff is applied in place.
    writeFileSync(`${home}/${unfilledFolder}/${id}`, parent ?? "", { mode: 0o600, flush: !durable });
    // Of an earlier layer of that name: Docker's own driver leaves both behind, and a removal that fails may.
    for (const left of [exactFolder(id), `${fillingFolder}/${id}`]) removeTree(folder, left);
    beginCommit();
    record.place(id, parent);
    renameat2(folder, staged, folder, path, RENAME_NOREPLACE);
    isPlaced = true;
    restampLayerRecord(home, id);
    // One call for a copy of any size; nothing but this makes all of its files and folders durable.
    if (durable) syncfs(folder);
  } catch (error) {
    ignoreCancellation();
    const failure = takeBack(error, () => {
      if (isPlaced) renameat2(folder, path, folder, staged);
      removeTree(folder, staged);
    });
    if (isSystemError(failure, "EEXIST")) throw alreadyExists(id);
    throw withSubject(failure, `layer "${id}" cannot be made`);
  } finally {
    record.discard();
  }
}

function stageTree(home: string, staged: string, { parent, rootUid, rootGid }: Omit<NewLayer, "id" | "durable">): void {
  const path = `${home}/${staged}`;
  makeCleanFolder(path, 0o755, { uid: rootUid, gid: rootGid });
  if (parent === undefined) return;
  withFolderAt(layerPath(home, parent), (from) => withFolderAt(path, (to) => copyTree(from, to, askCopyHelp)));
}

const askCopyHelp: AskCopyHelp = (queue) =>
  askBeside({ job: { module: copyFoldersUrl, name: "copyFolders", args: [queue] }, state: queue.state });

function alreadyExists(id: string): CleatError {
  return new CleatError("ALREADY_EXISTS", `layer "${id}" exists already`);
}

export interface RestoredLayer extends Omit<NewLayer, "durable"> {
  /** Whether it is made durable what was made so. */
  readonly durable: boolean;
  /** Under which what was unpacked lies in the trash. */
  readonly trashName: string;
}

/**
 * Makes a layer again what `create` made it, after a diff was applied in part, and nothing crashed meanwhile: what was
 * changed is taken away and copied anew, or all of it where that cannot be told, or not be done.
 */
export function restoreLayer(home: string, layer: RestoredLayer): void {
  if (!restoreFromParent(home, layer)) {
    withFolderAt(home, (folder) => removeTree(folder, `${trashFolder}/${layer.trashName}`)); // for its room
    return resetLayer(home, layer);
  }
  withFolderAt(home, (folder) => {
    removeTree(folder, exactFolder(layer.id));
    moveMark(folder, layer.id, fillingFolder, unfilledFolder);
  });
}

function restoreFromParent(home: string, { id, parent, durable, trashName }: RestoredLayer): boolean {
  if (parent === undefined) return false;
  try {
    const trashed = openTrashedFiles(home, trashName);
    try {
      return withFolderAt(layerPath(home, parent), (older) =>
        withFolderAt(layerPath(home, id), (newer) =>
          withKnownSame({ home, id, parent, newer, older }, (isUntouched) => {
            if (isUntouched === undefined) return false;
            return restoreCopy(older, newer, { isUntouched, durable, remove: trashed.add });
          }),
        ),
      );
    } finally {
      trashed.close();
    }
  } catch (error) {
    if (isSystemError(error)) return false; // a full disk, say
    throw error;
  }
}

/** Makes a layer again what `create` made it, whatever its tree holds, in one exchange of names. */
export function resetLayer(home: string, layer: Omit<NewLayer, "durable">): void {
  withFolderAt(home, (folder) => resetIn(home, folder, layer)); // opened first, as in `createLayer`
}

function resetIn(home: string, folder: number, layer: Omit<NewLayer, "durable">): void {
  const { id, parent } = layer;
  const staged = stagingPath(uniqueName());
  let record: StagedLayerRecord | undefined;
  try {
    removeTree(folder, exactFolder(id));
    // What was unpacked goes first: a full disk has no room for a second copy beside it.
    withFolderAt(layerPath(home, id), (tree) => {
      for (const name of readNames(tree)) removeTree(tree, name);
    });
    record = stageLayerRecord(home);
    stageTree(home, staged, layer);
    record.place(id, parent);
    syncfs(folder);
    renameat2(folder, staged, folder, `${layersFolder}/${id}`, RENAME_EXCHANGE);
    moveMark(folder, id, fillingFolder, unfilledFolder);
    restampLayerRecord(home, id);
  } catch (error) {
    throw takeBack(error, () => {
      removeTree(folder, staged);
      record?.discard();
    });
  }
  record.discard();
  removeIfPossible(removeTree, folder, staged); // what it was before: the next opening sweeps what is left
}

/**
 * Takes a layer out of the store in one step. Returns the name under which `emptyTrash` deletes it; not there is
 * success.
 */
export function discardLayer(home: string, id: string): string | undefined {
  return withFolderAt(home, (folder) => {
    const path = `${layersFolder}/${id}`;
    // Nothing tells then that a part of it is gone if this breaks off, but that whoever wanted it removed was not told
    // that it is.
    const isLeft = isThere(layerPath(home, id));
    const trashed = isLeft ? discardOrRemove(folder, path, () => removeForGood(folder, path)) : undefined;
    removeTree(folder, `${unfilledFolder}/${id}`);
    removeTree(folder, `${fillingFolder}/${id}`);
    removeTree(folder, exactFolder(id));
    forgetLayerRecord(home, id);
    return trashed;
  });
}
