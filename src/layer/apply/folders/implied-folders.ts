import { CleatError, isSystemError, SystemError } from "../../../errors/index.ts";
import {
  close,
  errnos,
  fchmod,
  fchown,
  fgetxattr,
  fstat,
  lastErrno,
  mkdirat,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  readlinkat,
  S_IFLNK,
  S_IFMT,
  statat,
  tryOpenat,
} from "../../../syscall/index.ts";
import { openConfinedFolder } from "../../tree/confine.ts";
import { joinPath, showBytes } from "../../entry/entry-name.ts";
import type { IdMaps } from "../../entry/id-map.ts";
import { defaultAcl, dropInherited } from "../../copy/inherited-access.ts";
import type { MergedFolders } from "../../lowers/merged-folders.ts";
import { openFolder, orClose } from "../../tree/with-folder.ts";
import { type DirectoryAttributes, impliedMode } from "./directory-attributes.ts";
import type { FolderCache } from "./folder-cache.ts";

export interface ImpliedFoldersOptions {
  readonly ids: IdMaps;
  readonly directories: DirectoryAttributes;
  /** What the layers below have of folders that an archive implies; undefined where the root is a copy of it. */
  readonly merged: MergedFolders | undefined;
  /** `WhiteoutMaker.replaceByFolder` */
  replaceByFolder(parent: number, base: Buffer, path: string): boolean;
  /** An open folder's path below the root, without symlinks. */
  pathBelow(folder: number): string | undefined;
}

/**
 * Opens a folder at a clean path to which something is missing on the way. One that is `needed` is made, with what is
 * missing above it; else the answer is `undefined` where nothing below shows it. The descriptor is the caller's to
 * close.
 */
export type OpenImplied = (path: string, needed: boolean) => number | undefined;

export function createImpliedFolders(root: number, cache: FolderCache, options: ImpliedFoldersOptions): OpenImplied {
  const { ids, directories, merged, pathBelow } = options;

  /**
   * Opens a folder to which something is missing on the way, and makes that. Each step starts from the folder before,
   * and none lets the kernel follow a symlink: one that is met is resolved below the root. `undefined` where the folder
   * is not `needed` and nothing below shows it.
   */
  function openStepByStep(path: string, needed: boolean): number | undefined {
    const start = cache.findAbove(path);
    const names = path.slice(start.path === "" ? 0 : start.path.length + 1).split("/");
    let here = openFolder(start.descriptor, ".");
    let at = start.path;
    try {
      for (const [index, name] of names.entries()) {
        const next = tryOpenat(here, Buffer.from(name, "latin1"), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        const errno = next < 0 ? lastErrno() : 0;
        if (errno === errnos.ENOENT) return makeMissing(here, pathBelow(here) ?? at, names.slice(index), needed);
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
    if ((statat(here, base).mode & S_IFMT) === S_IFLNK) return openThrough(here, base, joinPath(at, base));
    if (!needed) return undefined;
    if (!options.replaceByFolder(here, base, joinPath(pathBelow(here) ?? at, base))) {
      throw new SystemError(errnos.ENOTDIR, "openat", base);
    }
    const made = openFolder(here, base);
    orClose(made, () => settleImplied(made, ids));
    return made;
  }

  /**
   * Where the layer itself does not have what the symlink at `link` leads to, the layers below may: as containerd has
   * it, and as it is in a copy of them.
   */
  function openThrough(here: number, base: Buffer, link: string): number {
    try {
      return openConfinedFolder(root, Buffer.from(link, "latin1"));
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
    }
    const from = pathBelow(here);
    const target = from === undefined ? undefined : targetOf(from, readlinkat(here, base).toString("latin1"));
    const shown = target === undefined ? undefined : openStepByStep(target, false);
    if (shown !== undefined) return shown;
    throw new CleatError("INVALID_ARGUMENT", `entry lies below ${showBytes(link)}, a symlink that leads nowhere`);
  }

  /** Makes folders of which none is there, one in the other, in that at the path `from`; opens the last. */
  function makeMissing(folder: number, from: string, names: readonly string[], needed: boolean): number | undefined {
    const levels = merged?.below(from, names);
    const last = levels?.at(-1);
    if (!needed && last?.folder === undefined && last?.maybeMore !== true) return undefined;
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
        else settleImplied(here, ids);
      }
      return openFolder(here, ".");
    } finally {
      close(here);
    }
  }

  return openStepByStep;
}

/**
 * The clean path to which a symlink leads from the folder at `from`, by names alone; `undefined` where a `..` comes
 * after a name, which may itself be a symlink.
 */
function targetOf(from: string, target: string): string | undefined {
  const names = from === "" || target.startsWith("/") ? [] : from.split("/");
  let goesDown = false;
  for (const part of target.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && goesDown) return undefined;
    if (part === "..") names.pop();
    else names.push(part);
    goesDown = part !== "..";
  }
  return names.join("/");
}

/** Whatever the folder that it was made in gave to it. */
function settleImplied(folder: number, { uids, gids }: IdMaps): void {
  const { uid, gid, mode } = fstat(folder);
  const hasAcl = fgetxattr(folder, defaultAcl) !== undefined;
  if (hasAcl) dropInherited(folder);
  if (uid !== uids.hostRoot || gid !== gids.hostRoot) fchown(folder, uids.hostRoot, gids.hostRoot);
  if (hasAcl || (mode & 0o7777) !== impliedMode) fchmod(folder, impliedMode);
}
