import {
  fchmod,
  fchown,
  flistxattr,
  fremovexattr,
  isDirectory,
  mkdirat,
  readNames,
  statIfThere,
} from "../../../syscall/index.ts";
import { joinPath } from "../../entry/entry-name.ts";
import type { IdMaps } from "../../entry/id-map.ts";
import { removeTree } from "../../tree/remove-tree.ts";
import { withFolder } from "../../tree/with-folder.ts";
import { impliedMode } from "../folders/directory-attributes.ts";
import type { HeldPaths } from "../paths/held-paths.ts";
import type { OpenFolders } from "../folders/open-folders.ts";
import { createPathSet, type WhiteoutMaker } from "./whiteout-maker.ts";

/** For a copy of the layers below: what a whiteout hides is removed from it. */
export function createDeletions(folders: OpenFolders, ids: IdMaps, held: HeldPaths): WhiteoutMaker {
  const fromArchive = createPathSet(held);

  function clear(descriptor: number, folder: string): void {
    for (const name of readNames(descriptor)) remove(descriptor, name, joinPath(folder, name));
  }

  function remove(parent: number, name: Buffer, path: string): void {
    if (!fromArchive.has(path)) {
      removeTree(parent, name);
      return;
    }
    const there = statIfThere(parent, name);
    if (there === undefined || !isDirectory(there)) return;
    withFolder(parent, name, (child) => {
      makeNew(child);
      clear(child, path);
    });
  }

  /** The archive's folder is another than the copy's; what an entry says of it comes in the end. */
  function makeNew(folder: number): void {
    for (const name of flistxattr(folder)) if (!name.startsWith("security.")) fremovexattr(folder, name);
    fchown(folder, ids.uids.hostRoot, ids.gids.hostRoot);
    fchmod(folder, impliedMode);
  }

  return {
    makeOpaque(name) {
      const folder = folders.get(name);
      const path = folder.path();
      fromArchive.add(path);
      withFolder(folder.descriptor, ".", (descriptor) => clear(descriptor, path));
      folders.forget();
    },
    hide(name, base) {
      const folder = folders.find(name);
      if (folder === undefined) return;
      remove(folder.descriptor, base, joinPath(folder.path(), base));
      folders.forget();
    },
    made: (folder, base) => fromArchive.add(joinPath(folders.get(folder).path(), base)),
    replaceByFolder(parent, base, path) {
      if (fromArchive.has(path)) return false;
      removeTree(parent, base);
      mkdirat(parent, base, impliedMode);
      return true;
    },
    settle() {},
  };
}
