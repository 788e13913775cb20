/** What is done about overlay's whiteouts once all of an archive has come. */
import { isSystemError } from "../../../errors/index.ts";
import { close, isDirectory, mknodat, readNames, S_IFCHR, statIfThere } from "../../../syscall/index.ts";
import { openConfinedFolder } from "../../tree/confine.ts";
import { isOverlayWhiteout } from "../../entry/entry-type.ts";
import type { LowerFolders } from "../../lowers/lower-folders.ts";
import type { MergedFolders } from "../../lowers/merged-folders.ts";
import { removeTree } from "../../tree/remove-tree.ts";
import { withFolder } from "../../tree/with-folder.ts";
import type { PathSet } from "./whiteout-maker.ts";

/** What lies below a layer in the making. */
export interface LayersBelow {
  readonly lowers: LowerFolders;
  readonly merged: MergedFolders;
}

/** Paths are those of folders in the layer. */
export interface WhiteoutHolders {
  /** Hold whiteouts. */
  readonly holders: Iterable<string>;
  /** Came with the archive, for themselves or for what is in them. */
  readonly brought: Pick<PathSet, "has">;
  readonly below: LayersBelow;
}

/**
 * Overlay does not look for the mark at its root, so what lies there is hidden name by name. Source: Linux v6.1
 * `fs/overlayfs/namei.c` `ovl_lookup`, which no root goes through.
 */
export function hideNamesOf(lowers: LowerFolders, root: number, mark: (folder: number) => void): void {
  for (const text of lowers.rootNames()) {
    const name = Buffer.from(text, "latin1");
    const own = statIfThere(root, name);
    if (own === undefined) mknodat(root, name, S_IFCHR, 0, 0);
    else if (isDirectory(own)) withFolder(root, name, mark);
  }
}

/**
 * Where overlay has nothing to merge it shows the folder as it is, and a whiteout in it as a name that nobody can
 * open or remove. Source: Linux v6.1 `fs/overlayfs/readdir.c` `ovl_iterate`. Below folders that were
 * redirected, where it is not known, they stay: what they delete must not come back.
 */
export function dropUselessWhiteouts(root: number, { holders, brought, below }: WhiteoutHolders): void {
  const isMerged = (path: string): boolean => (path === "" ? below.lowers.all.length > 0 : below.merged.isMerged(path));
  for (const holder of holders) {
    withFolderIfThere(root, holder, (folder) => {
      if (isMerged(holder)) return;
      if (holder === "" || brought.has(holder)) dropWhiteouts(folder);
      else dropFolder(root, holder, (path) => brought.has(path) || isMerged(path));
    });
  }
}

/** The folder was made for whiteouts, perhaps with those above it that are not to stay. */
function dropFolder(root: number, path: string, stays: (path: string) => boolean): void {
  let [folder, base] = splitPath(path);
  while (folder !== "" && !stays(folder)) [folder, base] = splitPath(folder);
  withFolderIfThere(root, folder, (parent) => removeTree(parent, Buffer.from(base, "latin1")));
}

function withFolderIfThere(root: number, path: string, visit: (folder: number) => void): void {
  let folder: number;
  try {
    folder = openConfinedFolder(root, Buffer.from(path, "latin1"));
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return; // it was hidden or replaced since
    throw error;
  }
  try {
    visit(folder);
  } finally {
    close(folder);
  }
}

function dropWhiteouts(folder: number): void {
  for (const name of readNames(folder)) {
    const status = statIfThere(folder, name);
    if (status !== undefined && isOverlayWhiteout(status)) removeTree(folder, name);
  }
}

function splitPath(path: string): [folder: string, base: string] {
  const at = path.lastIndexOf("/");
  return at < 0 ? ["", path] : [path.slice(0, at), path.slice(at + 1)];
}
