import { isSystemError } from "../../../errors/index.ts";
import { type FileStatus, S_IFDIR, S_IFLNK, S_IFMT, statat } from "../../../syscall/index.ts";
import { type EntryName, joinPath } from "../../entry/entry-name.ts";
import { removeTree } from "../../tree/remove-tree.ts";
import type { DirectoryAttributes } from "../folders/directory-attributes.ts";
import type { OpenFolder } from "../folders/folder-cache.ts";
import type { OpenFolders } from "../folders/open-folders.ts";

/** Gives names in a layer to what an archive brings, in place of what has them. */
export interface NameReplacer {
  /** Runs `create`; where the name is taken, clears it and runs `create` once more. */
  replace(name: EntryName, create: (folder: OpenFolder) => void): void;
  /** Whether anything that was there, perhaps made by this archive, had to give way. */
  replacedAny(): boolean;
}

export function createNameReplacer(folders: OpenFolders, directories: DirectoryAttributes): NameReplacer {
  let replaced = false;

  function clear(name: EntryName): void {
    const { descriptor, path } = folders.get(name.folder);
    const mayLead = leadsToFolder(statat(descriptor, name.base));
    removeTree(descriptor, name.base);
    replaced = true;
    if (mayLead) {
      directories.drop(joinPath(path(), name.base));
      folders.forget();
    }
  }

  return {
    replace(name, create) {
      try {
        create(folders.get(name.folder));
      } catch (error) {
        if (!isSystemError(error, "EEXIST")) throw error;
        clear(name);
        create(folders.get(name.folder));
      }
    },
    replacedAny: () => replaced,
  };
}

/** Whether a name may stand within the paths of folders: it is one, or a symlink that could lead to one. */
function leadsToFolder({ mode }: FileStatus): boolean {
  return (mode & S_IFMT) === S_IFDIR || (mode & S_IFMT) === S_IFLNK;
}
