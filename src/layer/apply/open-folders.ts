import { CleatError, isSystemError, SystemError } from "../../errors/index.ts";
import {
  close,
  errnos,
  fchmod,
  fchown,
  fgetxattr,
  lastErrno,
  mkdirat,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  S_IFLNK,
  S_IFMT,
  S_ISGID,
  statat,
  tryOpenat,
} from "../../syscall/index.ts";
import { openConfinedFolder } from "../tree/confine.ts";
import { type DirectoryAttributes, impliedMode } from "./directory-attributes.ts";
import { joinPath, showBytes } from "../entry/entry-name.ts";
import type { IdMaps } from "../entry/id-map.ts";
import { defaultAcl, dropInherited } from "../tree/inherited-access.ts";
import type { MergedFolders } from "../lowers/merged-folders.ts";
import { createPathsBelow } from "../tree/paths-below.ts";
import { openFolder, statOpened } from "../tree/with-folder.ts";

export interface OpenFolder {
  readonly descriptor: number;
  /** Files made in it get its group, not the process's. */
  readonly givesGroup: boolean;
  /** Files made in it get an access control list, and by it another mode than the one asked for. */
  readonly givesAcl: boolean;
  /** Its path without symlinks. */
  path(): string;
}

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

export interface OpenFoldersOptions {
  readonly ids: IdMaps;
  readonly directories: DirectoryAttributes;
  /** What the layers below have of folders that an archive implies; undefined where the root is a copy of it. */
  readonly merged: MergedFolders | undefined;
  /** `WhiteoutMaker.replaceByFolder` */
  replaceByFolder(parent: number, base: Buffer, path: string): boolean;
}

/** Few enough for all jobs that may run at once to stay well below the usual limit of 1,024 descriptors. */
const maxOpenFolders = 64;

export function createOpenFolders(root: number, options: OpenFoldersOptions): OpenFolders {
  const { ids, directories, merged } = options;
  const folders = new Map<string, OpenFolder>();
  const pathBelow = createPathsBelow(root);

  function forget(): void {
    for (const { descriptor } of folders.values()) close(descriptor);
    folders.clear();
  }

  function remember(path: string, descriptor: number, inUse: OpenFolder | undefined): OpenFolder {
    if (folders.size >= maxOpenFolders) dropOldest(inUse);
    let realPath: string | undefined;
    const folder: OpenFolder = {
      descriptor,
      givesGroup: (statOpened(descriptor).mode & S_ISGID) !== 0,
      givesAcl: fgetxattr(descriptor, defaultAcl) !== undefined,
      path: () => (realPath ??= pathBelow(descriptor) ?? path),
    };
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

  /** The nearest folder above `path` that is open; the root always is. */
  function nearest(path: string): { readonly start: string; readonly descriptor: number } {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const start = path.slice(0, end);
      const folder = folders.get(start);
      if (folder !== undefined) return { start, descriptor: folder.descriptor };
    }
    return { start: "", descriptor: root };
  }

  /**
   * Opens a folder to which something is missing on the way, and makes that. Each step starts from the folder before,
   * and none lets the kernel follow a symlink: one that is met is resolved below the root. `undefined` where the folder
   * is not `needed` and nothing below shows it.
   */
  function makeWayTo(path: string, needed: boolean): number | undefined {
    const { start, descriptor } = nearest(path);
    const names = path.slice(start === "" ? 0 : start.length + 1).split("/");
    let here = openFolder(descriptor, ".");
    let at = start;
    try {
      for (const [index, name] of names.entries()) {
        const next = tryOpenat(here, Buffer.from(name, "latin1"), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        const errno = next < 0 ? lastErrno() : 0;
        if (errno === errnos.ENOENT) return makeBelow(here, pathBelow(here) ?? at, names.slice(index), needed);
        const child = next < 0 ? passObstacle(here, name, at, errno, needed) : next;
        if (child === undefined) return undefined;
        close(here);
        here = child;
        at = at === "" ? name : `${at}/${name}`;
      }
      return openFolder(here, ".");
    } finally {
      close(here);
    }
  }

  /**
   * What has the name is not a folder: a symlink may lead to one, and what the archive did not bring gives way to a
   * needed one.
   */
  function passObstacle(here: number, name: string, at: string, errno: number, needed: boolean): number | undefined {
    const base = Buffer.from(name, "latin1");
    if (errno !== errnos.ENOTDIR && errno !== errnos.ELOOP) throw new SystemError(errno, "openat", base);
    if ((statat(here, base).mode & S_IFMT) === S_IFLNK) return openThrough(at === "" ? name : `${at}/${name}`);
    if (!needed) return undefined;
    if (!options.replaceByFolder(here, base, joinPath(pathBelow(here) ?? at, base))) {
      throw new SystemError(errnos.ENOTDIR, "openat", base);
    }
    const made = openFolder(here, base);
    makeImplied(made);
    return made;
  }

  function openThrough(link: string): number {
    try {
      return openConfinedFolder(root, Buffer.from(link, "latin1"));
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
      throw new CleatError("INVALID_ARGUMENT", `entry lies below ${showBytes(link)}, a symlink that leads nowhere`);
    }
  }

  /** Makes folders of which none is there, one in the other, in that at the path `from`; opens the last. */
  function makeBelow(folder: number, from: string, names: readonly string[], needed: boolean): number | undefined {
    const levels = merged?.below(from, names);
    if (!needed && levels?.at(-1)?.folder === undefined) return undefined;
    let here = openFolder(folder, ".");
    let path = from;
    try {
      for (const [index, name] of names.entries()) {
        const base = Buffer.from(name, "latin1");
        mkdirat(here, base, impliedMode);
        const child = openFolder(here, base);
        close(here);
        here = child;
        path = path === "" ? name : `${path}/${name}`;
        const lower = levels?.[index]?.folder;
        if (lower !== undefined) directories.inherit(path, lower);
        else makeImplied(here);
      }
      return openFolder(here, ".");
    } finally {
      close(here);
    }
  }

  /** Whatever the folder that it was made in gave to it. */
  function makeImplied(folder: number): void {
    const { uids, gids } = ids;
    const { uid, gid, mode } = statOpened(folder);
    const hasAcl = fgetxattr(folder, defaultAcl) !== undefined;
    if (hasAcl) dropInherited(folder);
    if (uid !== uids.hostRoot || gid !== gids.hostRoot) fchown(folder, uids.hostRoot, gids.hostRoot);
    if (hasAcl || (mode & 0o7777) !== impliedMode) fchmod(folder, impliedMode);
  }

  function open(path: string, needed: boolean): number | undefined {
    try {
      return openConfinedFolder(root, Buffer.from(path, "latin1"));
    } catch (error) {
      if (!isSystemError(error, "ENOENT", "ENOTDIR")) throw error;
      return makeWayTo(path, needed);
    }
  }

  function find(path: string, needed = false, inUse?: OpenFolder): OpenFolder | undefined {
    const opened = folders.get(path);
    if (opened !== undefined) return opened;
    const descriptor = open(path, needed);
    return descriptor === undefined ? undefined : remember(path, descriptor, inUse);
  }

  return {
    get: (path, inUse) => find(path, true, inUse) as OpenFolder,
    find: (path) => find(path),
    forget,
    close: forget,
  };
}
