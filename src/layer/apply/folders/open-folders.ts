import { isSystemError } from "../../../errors/index.ts";
import { openConfinedFolder } from "../../tree/confine.ts";
import { createPathsBelow } from "../../tree/paths-below.ts";
import { createFolderCache, type OpenFolder } from "./folder-cache.ts";
import { createImpliedFolders, type ImpliedFoldersOptions } from "./implied-folders.ts";

/**
 * The folders of a layer in the making that were used last, open. Entries of an archive come folder by folder, so that
 * most find theirs here and cost no path resolution at all.
 */
export interface OpenFolders {
  /**
   * The folder at a clean path below the root; parents that no entry announced are made as the layers below have them,
   * else with mode 0755, each at the cost of some system calls, however deep it lies. It stays open until the next
   * `get`, which may close it to make room unless it is handed on as `inUse`.
   */
  get(path: string, inUse?: OpenFolder): OpenFolder;
  /** As `get`; `undefined` where neither the layer nor those below show such a folder. */
  find(path: string): OpenFolder | undefined;
  /** Forgets all: called when a name that may stand in a cached path was removed or replaced. */
  forget(): void;
  close(): void;
}

export type OpenFoldersOptions = Omit<ImpliedFoldersOptions, "pathBelow">;

export function createOpenFolders(root: number, options: OpenFoldersOptions): OpenFolders {
  const pathBelow = createPathsBelow(root);
  const cache = createFolderCache(root, pathBelow);
  const openImplied = createImpliedFolders(root, cache, { ...options, pathBelow });

  function open(path: string, needed: boolean): number | undefined {
    try {
      return openConfinedFolder(root, Buffer.from(path, "latin1"));
    } catch (error) {
      if (!isSystemError(error, "ENOENT", "ENOTDIR")) throw error;
      return openImplied(path, needed);
    }
  }

  function find(path: string, needed = false, inUse?: OpenFolder): OpenFolder | undefined {
    const opened = cache.get(path);
    if (opened !== undefined) return opened;
    const descriptor = open(path, needed);
    return descriptor === undefined ? undefined : cache.add(path, descriptor, inUse);
  }

  return {
    get: (path, inUse) => find(path, true, inUse) as OpenFolder,
    find: (path) => find(path),
    forget: cache.clear,
    close: cache.clear,
  };
}
