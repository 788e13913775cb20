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
import { createPathTree, pathNodeBytes } from "../../tree/path-tree.ts";
import { removeTree } from "../../tree/remove-tree.ts";
import { withFolder } from "../../tree/with-folder.ts";
import { impliedMode } from "../folders/directory-attributes.ts";
import type { HeldPaths } from "../paths/held-paths.ts";
import type { OpenFolders } from "../folders/open-folders.ts";
import { createPathSet, type WhiteoutMaker } from "./whiteout-maker.ts";

/** For a copy of the layers below: what a whiteout hides is removed from it. */
export function createDeletions(folders: OpenFolders, ids: IdMaps, held: HeldPaths): WhiteoutMaker {
  const fromArchive = createPathSet(held);
  /**
   * Folders that hold nothing but what the archive brought, and those that are its own themselves: to be gone through
   * once, for an archive may ask for it a hundred thousand times.
   */
  const cleared = createPathTree<true>();
  const renewed = new Set<string>();

  const isInCleared = (path: string): boolean => cleared.along(path, (_, end) => end < path.length);

  function clear(trail: FolderTrail, folder: string): void {
    if (cleared.get(folder) !== undefined) return;
    held.hold(folder, cleared.set(folder, true) * pathNodeBytes);
    for (const name of readNames(trail.current())) remove(trail, name, joinPath(folder, name));
  }

  /** From the folder that the trail stands in. What the archive brought stays, as deep as a path may be long. */
  function remove(trail: FolderTrail, name: Buffer, path: string): void {
    if (!fromArchive.has(path)) {
      removeTree(trail.current(), name);
      return;
    }
    const there = statIfThere(trail.current(), name);
    if (there === undefined || !isDirectory(there) || renewed.has(path)) return;
    held.hold(path);
    renewed.add(path);
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
      if (cleared.along(path, () => true)) return;
      withFolder(folder.descriptor, ".", (descriptor) => clear(createFolderTrail(descriptor), path));
      folders.forget();
    },
    hide(name, base) {
      const folder = folders.find(name);
      if (folder === undefined) return;
      const path = joinPath(folder.path(), base);
      if (renewed.has(path) || isInCleared(path)) return;
      remove(createFolderTrail(folder.descriptor), base, path);
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
