import { close, fgetxattr, S_ISGID } from "../../../syscall/index.ts";
import { defaultAcl } from "../../copy/inherited-access.ts";
import { processGid } from "../../copy/owner-and-mode.ts";
import { orClose, statOpened } from "../../tree/with-folder.ts";

export interface OpenFolder {
  readonly descriptor: number;
  /**
   * Files made in it get its group or may get it, not the process's: on a file system mounted `grpid` a folder gives it
   * without a setgid bit. Source: Linux v6.1 `fs/ext4/ialloc.c` `__ext4_new_inode`, `fs/xfs/xfs_inode.c`.
   */
  readonly givesGroup: boolean;
  /** Files made in it get an access control list, and by it another mode than the one asked for. */
  readonly givesAcl: boolean;
  /** Its path without symlinks. */
  path(): string;
}

/** Folders of a layer by their clean paths below its root, so many that descriptors suffice. */
export interface FolderCache {
  get(path: string): OpenFolder | undefined;
  /** Keeps a folder, which is the cache's to close from now on; to make room closes the oldest that is not `inUse`. */
  add(path: string, descriptor: number, inUse: OpenFolder | undefined): OpenFolder;
  /** The nearest folder above `path` that is open; the root, as "", always is. */
  findAbove(path: string): { readonly path: string; readonly descriptor: number };
  /** Closes all but the root. */
  clear(): void;
}

/** Few enough for all jobs that may run at once to stay well below the usual limit of 1,024 descriptors. */
const maxOpenFolders = 64;

/** `pathBelow` tells an open folder's path without symlinks; `root` is its opener's to close. */
export function createFolderCache(root: number, pathBelow: (descriptor: number) => string | undefined): FolderCache {
  const folders = new Map<string, OpenFolder>();

  /** A descriptor that is closed while somebody holds its number would soon be another thread's file. */
  function dropOldest(inUse: OpenFolder | undefined): void {
    for (const [path, folder] of folders) {
      if (folder === inUse) continue;
      close(folder.descriptor);
      folders.delete(path);
      return;
    }
  }

  return {
    get: (path) => folders.get(path),
    add(path, descriptor, inUse) {
      if (folders.size >= maxOpenFolders) dropOldest(inUse);
      let realPath: string | undefined;
      const folder: OpenFolder = {
        descriptor,
        ...readGifts(descriptor),
        path: () => (realPath ??= pathBelow(descriptor) ?? path),
      };
      folders.set(path, folder);
      return folder;
    },
    findAbove(path) {
      for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
        const above = path.slice(0, end);
        const folder = folders.get(above);
        if (folder !== undefined) return { path: above, descriptor: folder.descriptor };
      }
      return { path: "", descriptor: root };
    },
    clear() {
      for (const { descriptor } of folders.values()) close(descriptor);
      folders.clear();
    },
  };
}

/** What files made in an open folder get of it; closes it where that cannot be told. */
function readGifts(descriptor: number): Pick<OpenFolder, "givesGroup" | "givesAcl"> {
  const { mode, gid } = statOpened(descriptor);
  const givesGroup = (mode & S_ISGID) !== 0 || gid !== processGid;
  return { givesGroup, givesAcl: orClose(descriptor, () => fgetxattr(descriptor, defaultAcl)) !== undefined };
}
