import { mkdirSync } from "node:fs";
import { isSystemError } from "../../../errors/index.ts";
import { dropInherited, withFolder, withFolderAt } from "../../../layer/index.ts";
import { fchmod, fchown, fstat, mkdirat, statat } from "../../../syscall/index.ts";

/** Who a folder belongs to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Makes a folder with just that mode and owner. An access control list or setgid bit of the folder around it, or this
 * process's umask, would else be in every layer that is made in it.
 */
export function makeCleanFolder(path: string, mode: number, owner?: Owner): void {
  withCleanFolder(path, mode, owner, () => {});
}

/** Makes it, and leaves it open for as long as `visit` runs. */
export function withCleanFolder<T>(
  path: string,
  mode: number,
  owner: Owner | undefined,
  visit: (folder: number) => T,
): T {
  mkdirSync(path, { mode });
  return withFolderAt(path, (folder) => {
    cleanFolder(folder, mode, owner);
    return visit(folder);
  });
}

/**
 * The same in an open folder that is clean, and hands on no list: it is looked at, and opened only where the umask, or
 * a mount that hands on groups, gave it something else.
 */
export function makeFolderInClean(parent: number, name: string, mode: number, owner: Owner): void {
  mkdirat(parent, name, mode);
  const made = statat(parent, name);
  if ((made.mode & 0o7777) === mode && made.uid === owner.uid && made.gid === owner.gid) return;
  withFolder(parent, name, (folder) => cleanFolder(folder, mode, owner));
}

/** As `makeCleanFolder`; one that is there is left as it is. */
export function ensureCleanFolder(path: string, mode: number): void {
  try {
    makeCleanFolder(path, mode);
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
  }
}

/**
 * Takes from a new folder that is open what others gave to it. Without `owner` it stays whose it is. What is right
 * already is not written once more.
 */
export function cleanFolder(folder: number, mode: number, owner?: Owner): void {
  dropInherited(folder);
  const own = fstat(folder);
  const isOwners = owner === undefined || (own.uid === owner.uid && own.gid === owner.gid);
  if (!isOwners) fchown(folder, owner.uid, owner.gid);
  if (!isOwners || (own.mode & 0o7777) !== mode) fchmod(folder, mode);
}
