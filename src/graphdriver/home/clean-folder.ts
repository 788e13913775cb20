import { mkdirSync } from "node:fs";
import { isSystemError } from "../../errors/index.ts";
import { dropInherited, withFolderAt } from "../../layer/index.ts";
import { fchmod, fchown, fstat } from "../../syscall/index.ts";

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
  mkdirSync(path, { mode });
  withFolderAt(path, (folder) => cleanFolder(folder, mode, owner));
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
