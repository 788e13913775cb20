/** Making, resetting and removing layers. These functions block and run on workers. */
import { existsSync, writeFileSync } from "node:fs";
import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import { copyTree, removeTree, withFolder, withFolderAt } from "../../layer/index.ts";
import { fsync, readNames, RENAME_EXCHANGE, RENAME_NOREPLACE, renameat2, syncfs } from "../../syscall/index.ts";
import { makeCleanFolder } from "../home/clean-folder.ts";
import { discard, stagingPath, uniqueName } from "../home/home.ts";
import { exactFolder, fillingFolder, layerPath, layersFolder, unfilledFolder } from "./layout.ts";

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
 * file system cannot share blocks.
 * @throws ALREADY_EXISTS, NOT_FOUND for the parent.
 */
export function createLayer(home: string, layer: NewLayer): void {
  const { id, parent, durable } = layer;
  if (existsSync(layerPath(home, id))) throw alreadyExists(id);
  if (parent !== undefined && !existsSync(layerPath(home, parent))) {
    throw new CleatError("NOT_FOUND", `parent "${parent}" of layer "${id}" does not exist`);
  }
  const staged = stagingPath(uniqueName());
  try {
    stageTree(home, staged, layer);
    if (parent !== undefined && !isWhole(home, parent)) {
      throw new CleatError("ABORTED", `parent "${parent}" was being changed or removed`);
    }
    writeFileSync(`${home}/${unfilledFolder}/${id}`, parent ?? "", { mode: 0o600, flush: true });
    withFolderAt(home, (folder) => {
      removeTree(folder, exactFolder(id)); // Docker's own driver leaves it behind
      renameat2(folder, staged, folder, `${layersFolder}/${id}`, RENAME_NOREPLACE);
      if (durable) syncfs(folder);
    });
  } catch (error) {
    withFolderAt(home, (folder) => removeTree(folder, staged));
    if (isSystemError(error, "EEXIST")) throw alreadyExists(id);
    throw toCleatError(error, `layer "${id}" cannot be made`);
  }
}

function stageTree(home: string, staged: string, { parent, rootUid, rootGid }: Omit<NewLayer, "id" | "durable">): void {
  const path = `${home}/${staged}`;
  makeCleanFolder(path, 0o755, { uid: rootUid, gid: rootGid });
  if (parent === undefined) return;
  withFolderAt(layerPath(home, parent), (from) => withFolderAt(path, (to) => copyTree(from, to)));
}

/** Calls on the parent do not wait for its children, so a copy of it may have been taken half way through one. */
function isWhole(home: string, id: string): boolean {
  return existsSync(layerPath(home, id)) && !existsSync(`${home}/${fillingFolder}/${id}`);
}

function alreadyExists(id: string): CleatError {
  return new CleatError("ALREADY_EXISTS", `layer "${id}" exists already`);
}

/** Makes a layer again what `create` made it, after a diff was applied in part, in one exchange of names. */
export function resetLayer(home: string, layer: Omit<NewLayer, "durable">): void {
  const { id } = layer;
  const staged = stagingPath(uniqueName());
  try {
    withFolderAt(home, (folder) => removeTree(folder, exactFolder(id)));
    // What was unpacked goes first: a full disk has no room for a second copy beside it.
    withFolderAt(layerPath(home, id), (folder) => {
      for (const name of readNames(folder)) removeTree(folder, name);
    });
    stageTree(home, staged, layer);
    withFolderAt(home, (folder) => {
      syncfs(folder);
      renameat2(folder, staged, folder, `${layersFolder}/${id}`, RENAME_EXCHANGE);
      renameat2(folder, `${fillingFolder}/${id}`, folder, `${unfilledFolder}/${id}`);
      withFolder(folder, unfilledFolder, fsync);
    });
  } finally {
    withFolderAt(home, (folder) => removeTree(folder, staged));
  }
}

/** Takes a layer out of the store in one step. Returns the name under which `emptyTrash` deletes it; not there is success. */
export function discardLayer(home: string, id: string): string | undefined {
  return withFolderAt(home, (folder) => {
    if (!existsSync(layerPath(home, id))) return undefined;
    const trashed = discard(folder, `${layersFolder}/${id}`);
    removeTree(folder, `${unfilledFolder}/${id}`);
    removeTree(folder, `${fillingFolder}/${id}`);
    removeTree(folder, exactFolder(id));
    return trashed;
  });
}
