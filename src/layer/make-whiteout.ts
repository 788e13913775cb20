import { isSystemError } from "../errors/index.ts";
import { fsetxattr, isDirectory, mknodat, readNames, S_IFCHR, statIfThere } from "../syscall/index.ts";
import { joinPath } from "./entry-name.ts";
import type { OpenFolders } from "./open-folders.ts";
import { removeTree } from "./remove-tree.ts";
import type { WhiteoutConvention } from "./whiteout.ts";
import { withFolder } from "./with-folder.ts";

/**
 * Keeps deletions while a layer is unpacked. A whiteout speaks of the layers below, never of what its own archive brings
 * (OCI image-spec v1.0 `layer.md`), in whichever order the two come.
 */
export interface WhiteoutMaker {
  /** Hides everything that lower layers have in the folder. */
  makeOpaque(folder: string): void;
  /** Hides `name` of the layers below. */
  hide(folder: string, name: Buffer): void;
  /** Is told of each name that the archive makes. */
  made(path: string): void;
}

export function createWhiteoutMaker(folders: OpenFolders, convention: WhiteoutConvention): WhiteoutMaker {
  return convention.kind === "overlay"
    ? createOverlayWhiteouts(folders, convention.attributePrefix)
    : createDeletions(folders);
}

const yes = Buffer.from("y");

function createOverlayWhiteouts(folders: OpenFolders, prefix: string): WhiteoutMaker {
  const attribute = `${prefix}overlay.opaque`;

  function makeOpaque(folder: string): void {
    fsetxattr(folders.get(folder).descriptor, attribute, yes);
  }

  return {
    makeOpaque,
    hide(folder, name) {
      const { descriptor } = folders.get(folder);
      try {
        mknodat(descriptor, name, S_IFCHR, 0, 0);
      } catch (error) {
        if (!isSystemError(error, "EEXIST")) throw error;
        // The archive made the name itself: a file covers what lies below, a folder does once it is opaque.
        const there = statIfThere(descriptor, name);
        if (there !== undefined && isDirectory(there)) makeOpaque(joinPath(folder, name));
      }
    },
    made: () => {},
  };
}

function createDeletions(folders: OpenFolders): WhiteoutMaker {
  /** Every path of this archive and the folders above it. */
  const fromArchive = new Set<string>();

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
    withFolder(parent, name, (child) => clear(child, path));
  }

  return {
    makeOpaque(folder) {
      withFolder(folders.get(folder).descriptor, ".", (descriptor) => clear(descriptor, folder));
      folders.forget();
    },
    hide(folder, name) {
      remove(folders.get(folder).descriptor, name, joinPath(folder, name));
      folders.forget();
    },
    made(path) {
      for (let at = path.length; at > 0; at = path.lastIndexOf("/", at - 1)) {
        const above = path.slice(0, at);
        if (fromArchive.has(above)) return;
        fromArchive.add(above);
      }
    },
  };
}
