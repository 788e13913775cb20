import { isSystemError } from "../../errors/index.ts";
import {
  close,
  fsetxattr,
  isDirectory,
  mkdirat,
  mknodat,
  readNames,
  S_IFCHR,
  statat,
  statIfThere,
} from "../../syscall/index.ts";
import { openConfinedFolder } from "../tree/confine.ts";
import { type DirectoryAttributes, impliedMode } from "./directory-attributes.ts";
import { joinPath } from "../entry/entry-name.ts";
import { isOverlayWhiteout } from "../entry/entry-type.ts";
import type { LowerFolders } from "../lowers/lower-folders.ts";
import type { MergedFolders } from "../lowers/merged-folders.ts";
import type { OpenFolder, OpenFolders } from "./open-folders.ts";
import { removeTree } from "../tree/remove-tree.ts";
import { createPathSet, type WhiteoutMaker } from "./whiteout-maker.ts";
import type { OverlayPrefix } from "../entry/whiteout.ts";
import { withFolder } from "../tree/with-folder.ts";

/** What lies below a layer in the making. */
export interface LayersBelow {
  readonly lowers: LowerFolders;
  readonly merged: MergedFolders;
}

export interface OverlayWhiteoutOptions {
  readonly folders: OpenFolders;
  readonly directories: DirectoryAttributes;
  readonly prefix: OverlayPrefix;
  /** Where that is not known, each whiteout is kept, and an opaque root is only marked. */
  readonly below: LayersBelow | undefined;
}

const yes = Buffer.from("y");

/** As the kernel's overlay keeps them: devices 0/0, and an attribute of folders. */
export function createOverlayWhiteouts(root: number, options: OverlayWhiteoutOptions): WhiteoutMaker {
  const { folders, directories, prefix, below } = options;
  /** Folders that the archive brings, for themselves or for what is in them. */
  const brought = createPathSet();
  /** Files come folder by folder. */
  let lastBrought: OpenFolder | undefined;
  /** Folders that hold whiteouts. */
  const holders = new Set<string>();
  let hidesRoot = false;

  function mark(folder: number): void {
    fsetxattr(folder, `${prefix}overlay.opaque`, yes);
    below?.merged.changed();
  }

  function makeOpaque(name: string, itself: boolean): void {
    const folder = folders.get(name);
    const path = folder.path();
    brought.add(path);
    directories.disinherit(path, itself);
    if (path !== "" || below === undefined) return mark(folder.descriptor);
    hidesRoot = true;
    below.merged.hideAll();
  }

  function hide(name: string, base: Buffer): void {
    const folder = below === undefined ? folders.get(name) : folders.find(name);
    if (folder === undefined) return;
    const path = folder.path();
    const own = statIfThere(folder.descriptor, base);
    if (own === undefined) {
      mknodat(folder.descriptor, base, S_IFCHR, 0, 0);
      holders.add(path);
    } else if (isDirectory(own)) hideFolder(folder.descriptor, base, joinPath(path, base), path);
    // The archive made a file of that name itself, which covers what lies below.
  }

  function hideFolder(parent: number, base: Buffer, path: string, holder: string): void {
    if (brought.has(path)) return makeOpaque(path, true);
    // It was made for whiteouts in it.
    removeTree(parent, base);
    mknodat(parent, base, S_IFCHR, 0, 0);
    holders.add(holder);
    directories.drop(path);
    folders.forget();
    below?.merged.changed();
  }

  /**
   * Overlay does not look for the mark at its root, so what lies there is hidden name by name. Source: Linux v6.1
   * `fs/overlayfs/namei.c` `ovl_lookup`, which no root goes through.
   */
  function hideRoot(lowers: LowerFolders): void {
    for (const text of lowers.rootNames()) {
      const name = Buffer.from(text, "latin1");
      const own = statIfThere(root, name);
      if (own === undefined) mknodat(root, name, S_IFCHR, 0, 0);
      else if (isDirectory(own)) withFolder(root, name, mark);
    }
  }

  /**
   * Where overlay has nothing to merge it shows the folder as it is, and a whiteout in it as a name that nobody can
   * open or remove. Source: Linux v6.1 `fs/overlayfs/readdir.c` `ovl_iterate`.
   */
  function dropUseless({ lowers, merged }: LayersBelow): void {
    const isMerged = (path: string): boolean => (path === "" ? lowers.all : merged.shownAt(path)).length > 0;
    for (const holder of holders) {
      withOwn(holder, (folder) => {
        if (isMerged(holder)) return;
        if (holder === "" || brought.has(holder)) dropWhiteouts(folder);
        else dropFolder(holder, isMerged);
      });
    }
  }

  /** The folder was made for whiteouts, perhaps with those above it. */
  function dropFolder(path: string, isMerged: (path: string) => boolean): void {
    let [folder, base] = splitPath(path);
    while (folder !== "" && !brought.has(folder) && !isMerged(folder)) [folder, base] = splitPath(folder);
    withOwn(folder, (parent) => removeTree(parent, Buffer.from(base, "latin1")));
  }

  function withOwn(path: string, visit: (folder: number) => void): void {
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

  return {
    makeOpaque: (folder) => makeOpaque(folder, false),
    hide,
    made(name, base, isFolder) {
      const folder = folders.get(name);
      if (isFolder) brought.add(joinPath(folder.path(), base));
      else if (folder !== lastBrought) brought.add((lastBrought = folder).path());
    },
    replaceByFolder(parent, base) {
      if (!isOverlayWhiteout(statat(parent, base))) return false;
      removeTree(parent, base);
      mkdirat(parent, base, impliedMode);
      withFolder(parent, base, mark);
      return true;
    },
    settle() {
      if (below === undefined) return;
      dropUseless(below);
      if (hidesRoot) hideRoot(below.lowers);
    },
  };
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
