import { isDirectory, mkdirat, mknodat, S_IFCHR, statat, statIfThere } from "../../../syscall/index.ts";
import { joinPath } from "../../entry/entry-name.ts";
import { isOverlayWhiteout } from "../../entry/entry-type.ts";
import { removeTree } from "../../tree/remove-tree.ts";
import type { OverlayPrefix } from "../../entry/whiteout.ts";
import { withFolder } from "../../tree/with-folder.ts";
import { type DirectoryAttributes, impliedMode } from "../folders/directory-attributes.ts";
import type { OpenFolder } from "../folders/folder-cache.ts";
import type { HeldPaths } from "../paths/held-paths.ts";
import type { OpenFolders } from "../folders/open-folders.ts";
import { markOpaque } from "./opaque-root.ts";
import { dropUselessWhiteouts, hideNamesOf, type LayersBelow } from "./settle-whiteouts.ts";
import { createPathSet, type WhiteoutMaker } from "./whiteout-maker.ts";

export interface OverlayWhiteoutOptions {
  readonly folders: OpenFolders;
  readonly directories: DirectoryAttributes;
  readonly held: HeldPaths;
  readonly prefix: OverlayPrefix;
  /** Where that is not known, each whiteout is kept, and an opaque root is only marked. */
  readonly below: LayersBelow | undefined;
}

/** As the kernel's overlay keeps them: devices 0/0, and an attribute of folders. */
export function createOverlayWhiteouts(root: number, options: OverlayWhiteoutOptions): WhiteoutMaker {
  const { folders, directories, held, prefix, below } = options;
  /** Folders that the archive brings, for themselves or for what is in them. */
  const brought = createPathSet(held);
  /** Files come folder by folder. */
  let lastBrought: OpenFolder | undefined;
  /** Folders that hold whiteouts. */
  const holders = new Set<string>();
  let hidesRoot = false;

  function addHolder(path: string): void {
    if (!holders.has(path)) held.hold(path);
    holders.add(path);
  }

  function mark(folder: number, path: string): void {
    markOpaque(folder, prefix);
    below?.merged.changed(path);
  }

  function makeOpaque(name: string, itself: boolean): void {
    const folder = folders.get(name);
    const path = folder.path();
    brought.add(path);
    directories.disinherit(path, itself);
    if (path !== "" || below === undefined) return mark(folder.descriptor, path);
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
      addHolder(path);
    } else if (isDirectory(own)) hideFolder(folder.descriptor, base, joinPath(path, base), path);
    // The archive made a file of that name itself, which covers what lies below.
  }

  function hideFolder(parent: number, base: Buffer, path: string, holder: string): void {
    if (brought.has(path)) return makeOpaque(path, true);
    // It was made for whiteouts in it.
    removeTree(parent, base);
    mknodat(parent, base, S_IFCHR, 0, 0);
    addHolder(holder);
    directories.drop(path);
    folders.forget();
    below?.merged.changed(path);
  }

  return {
    makeOpaque: (folder) => makeOpaque(folder, false),
    hide,
    made(name, base, isFolder) {
      const folder = folders.get(name);
      if (isFolder) brought.add(joinPath(folder.path(), base));
      else if (folder !== lastBrought) brought.add((lastBrought = folder).path());
    },
    replaceByFolder(parent, base, path) {
      if (!isOverlayWhiteout(statat(parent, base))) return false;
      removeTree(parent, base);
      mkdirat(parent, base, impliedMode);
      withFolder(parent, base, (folder) => mark(folder, path));
      return true;
    },
    settle() {
      if (below === undefined) return;
      dropUselessWhiteouts(root, { holders, brought, below });
      if (hidesRoot) hideNamesOf(below.lowers, root, (folder) => markOpaque(folder, prefix));
    },
  };
}
