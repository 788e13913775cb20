import { CleatError, isSystemError } from "../errors/index.ts";
import { chownat, close, mkdirat, S_ISGID } from "../syscall/index.ts";
import { openConfinedFolder } from "./confine.ts";
import type { DirectoryAttributes } from "./directory-attributes.ts";
import { showBytes } from "./entry-name.ts";
import type { IdMaps } from "./id-map.ts";
import type { LowerFolder, LowerFolders } from "./lower-folders.ts";
import { statOpened } from "./with-folder.ts";

export interface OpenFolder {
  readonly descriptor: number;
  /** Files made in it get its group, not the process's. */
  readonly givesGroup: boolean;
}

/**
 * The folders of a layer in the making that were used last, open. Entries of an archive come folder by folder, so that
 * most find theirs here and cost no path resolution at all.
 */
export interface OpenFolders {
  /**
   * The folder at a clean path below the root; parents that no entry announced are made as the layers below have them, else
   * with mode 0755. It stays open until the next `get`, which may close it to make room unless it is handed on as `inUse`.
   */
  get(path: string, inUse?: OpenFolder): OpenFolder;
  /** Forgets all: called when a name that may stand in a cached path was removed or replaced. */
  forget(): void;
  close(): void;
}

/** Few enough for all jobs that may run at once to stay well below the usual limit of 1,024 descriptors. */
const maxOpenFolders = 64;
/** The mode moby gives to folders that an archive implies. Source: moby v23 `archive.ImpliedDirectoryMode`. */
const impliedMode = 0o755;

/** What layers below have of folders that an archive implies. */
export interface ImpliedFolders {
  readonly lowers: LowerFolders;
  readonly directories: DirectoryAttributes;
}

export function createOpenFolders(root: number, ids: IdMaps, implied?: ImpliedFolders): OpenFolders {
  const folders = new Map<string, OpenFolder>();

  function forget(): void {
    for (const { descriptor } of folders.values()) close(descriptor);
    folders.clear();
  }

  function remember(path: string, descriptor: number, inUse: OpenFolder | undefined): OpenFolder {
    if (folders.size >= maxOpenFolders) dropOldest(inUse);
    const folder = { descriptor, givesGroup: (statOpened(descriptor).mode & S_ISGID) !== 0 };
    folders.set(path, folder);
    return folder;
  }

  /** A descriptor that is closed while somebody holds its number would soon be another thread's file. */
  function dropOldest(inUse: OpenFolder | undefined): void {
    for (const [path, folder] of folders) {
      if (folder === inUse) continue;
      close(folder.descriptor);
      folders.delete(path);
      return;
    }
  }

  /** What an implied folder covers; where an opaque one lies above, that is nothing. */
  function findBelow(path: string, inUse: OpenFolder | undefined): LowerFolder | undefined {
    if (implied === undefined) return undefined;
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) {
      if (implied.lowers.isOpaque(get(path.slice(0, at), inUse).descriptor)) return undefined;
    }
    return implied.lowers.find(path);
  }

  function makeImplied(path: string, inUse: OpenFolder | undefined): void {
    const at = path.lastIndexOf("/");
    const below = findBelow(path, inUse);
    const parent = get(at < 0 ? "" : path.slice(0, at), inUse);
    const base = Buffer.from(path.slice(at + 1), "latin1");
    try {
      mkdirat(parent.descriptor, base, impliedMode);
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
      throw new CleatError("INVALID_ARGUMENT", `entry lies below ${showBytes(path)}, a symlink that leads nowhere`);
    }
    if (below !== undefined) implied?.directories.inherit(path, below);
    else if (ids.uids.hostRoot !== 0 || ids.gids.hostRoot !== 0) {
      chownat(parent.descriptor, base, ids.uids.hostRoot, ids.gids.hostRoot);
    }
  }

  function open(path: string, inUse: OpenFolder | undefined): number {
    const bytes = Buffer.from(path, "latin1");
    try {
      return openConfinedFolder(root, bytes);
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
      makeImplied(path, inUse);
      return openConfinedFolder(root, bytes);
    }
  }

  function get(path: string, inUse?: OpenFolder): OpenFolder {
    return folders.get(path) ?? remember(path, open(path, inUse), inUse);
  }

  return { get, forget, close: forget };
}
