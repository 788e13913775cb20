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
import { createFolderTrail, type FolderTrail } from "../../tree/folder-trail.ts";
import { removeTree } from "../../tree/remove-tree.ts";
import { withFolder } from "../../tree/with-folder.ts";
import { impliedMode } from "../folders/directory-attributes.ts";
import type { HeldPaths } from "../paths/held-paths.ts";
import type { OpenFolders } from "../folders/open-folders.ts";
import { createPathSet, type WhiteoutMaker } from "./whiteout-maker.ts";

/** For a copy of the layers below: what a whiteout hides is removed from it. */
export function createDeletions(folders: OpenFolders, ids: IdMaps, held: HeldPaths): WhiteoutMaker {
  const fromArchive = createPathSet(held);

  function clear(trail: FolderTrail, folder: string): void {
    for (const name of readNames(trail.current())) remove(trail, name, joinPath(folder, name));
  }

  /** From the folder that the trail stands in; what the archive brought stays, which may be as deep as a path is long. */
  function remove(trail: FolderTrail, name: Buffer, path: string): void {
    if (!fromArchive.has(path)) {
      removeTree(trail.current(), name);
      return;
    }
    const there = statIfThere(trail.current(), name);
    if (there === undefined || !isDirectory(there)) return;
    trail.within(name, () => {
      makeNew(trail.current());
      clear(trail, path);
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
      withFolder(folder.descriptor, ".", (descriptor) => clear(createFolderTrail(descriptor), path));
      folders.forget();
    },
    hide(name, base) {
      const folder = folders.find(name);
      if (folder === undefined) return;
      remove(createFolderTrail(folder.descriptor), base, joinPath(folder.path(), base));
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
