/**
 * What every driver keeps in its home beside the layers, in one folder whose name no layer can have:
 *
 *     <home>/.cleat/lock          held (flock) by the process that serves the home
 *     <home>/.cleat/driver.json   whose layers these are (`driver-record.ts`)
 *     <home>/.cleat/counts.json   mount counts above one (`mount-counts.ts`)
 *     <home>/.cleat/whole.json    that its layers were found whole (`whole-record.ts`)
 *     <home>/.cleat/staging/      what is being made; taken to the trash when the home is opened
 *     <home>/.cleat/trash/        what is being deleted; deleted behind the opening
 *
 * Things come into the store and leave it by one `renameat2` from or to here, so that a crash at any point leaves a
 * layer whole or not there. The functions block and run on workers, but for `lockHome`.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, existsSync, realpathSync, statfsSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { CleatError, isDiskFull, isSystemError, SystemError, toCleatError } from "../../../errors/index.ts";
import { despiteProtection, removeForGood, withFolder, withFolderAt } from "../../../layer/index.ts";
import {
  close,
  errnos,
  fstat,
  lockFile,
  O_CREAT,
  O_RDWR,
  openPath,
  readNames,
  renameat2,
  statIfThere,
  syncfs,
} from "../../../syscall/index.ts";
import { ensureCleanFolder, makeCleanFolder } from "./clean-folder.ts";

export const ownFolder = ".cleat";
const lockPath = `${ownFolder}/lock`;
export const stagingFolder = `${ownFolder}/staging`;
export const trashFolder = `${ownFolder}/trash`;

/**
 * Makes the home, if need be, with what Cleat keeps in it; returns its path with symlinks resolved, as the kernel shows
 * mounts below it.
 * @throws FAILED_PRECONDITION when something on the path is a file, or a symlink that leads nowhere.
 */
export function prepareHome(home: string, rootGid: number): string {
  try {
    makeFolders(home);
    const resolved = realpathSync(home);
    letThrough(resolved, rootGid);
    for (const folder of [ownFolder, stagingFolder, trashFolder]) ensureCleanFolder(`${resolved}/${folder}`, 0o700);
    return resolved;
  } catch (error) {
    if (isSystemError(error, "EEXIST", "ENOTDIR", "ENOENT")) throw notAFolder(home, error);
    throw toCleatError(error, `home ${JSON.stringify(home)}`);
  }
}

/** Other users may pass through a folder of layers, and see nothing in it. */
export const passageMode = 0o710;

/**
 * Lets root of a container, by its group, pass through a folder on the way to its files, where ids are mapped. Source:
 * moby v20.10.24 `overlay2.go` `Init`.
 */
export function letThrough(folder: string, rootGid: number): void {
  if (rootGid === 0 || process.geteuid?.() !== 0) return;
  chownSync(folder, 0, rootGid);
  const { mode } = statSync(folder);
  if ((mode & 0o010) === 0) chmodSync(folder, (mode & 0o7777) | 0o010);
}

/**
 * One at a time: Node's recursive `mkdir` never comes back from a file system that says ENOENT below what is there
 * (/proc).
 */
export function makeFolders(path: string, mode = passageMode): void {
  const parts = path.split("/");
  for (let count = 2; count <= parts.length; count++) {
    const folder = parts.slice(0, count).join("/");
    if (folder !== "" && !existsSync(folder)) makeCleanFolder(folder, mode);
  }
  if (!statSync(path).isDirectory()) throw new SystemError(errnos.ENOTDIR, "mkdir", path);
}

function notAFolder(home: string, cause: unknown): CleatError {
  const what = existsSync(home) ? "is not a folder" : "cannot be made: a part of its path is not a folder";
  return new CleatError("FAILED_PRECONDITION", `home ${JSON.stringify(home)} ${what}`, { cause });
}

/**
 * Makes sure that one process at a time serves a home: two would count each other's mounts wrong. The kernel gives the
 * lock back when the process ends, however it ends. The descriptor is the caller's to close.
 * @throws FAILED_PRECONDITION when another process, or another driver of this one, has it.
 */
export function lockHome(home: string): number {
  const descriptor = openLock(home);
  try {
    if (lockFile(descriptor) && isInPlace(descriptor, home)) return descriptor;
  } catch (error) {
    close(descriptor);
    throw toCleatError(error, `home ${JSON.stringify(home)}`);
  }
  close(descriptor);
  throw servedAlready(home);
}

export function servedAlready(home: string): CleatError {
  return new CleatError(
    "FAILED_PRECONDITION",
    `home ${JSON.stringify(home)} is being served by another driver or process; stop it first, or take another folder`,
  );
}

/** Whoever repairs a store of an engine's own takes the file away with his lock: one that is gone keeps nobody out. */
function isInPlace(descriptor: number, home: string): boolean {
  const locked = fstat(descriptor);
  const seen = withFolderAt(home, (folder) => statIfThere(folder, lockPath));
  return seen?.inode === locked.inode && seen.fileSystem === locked.fileSystem;
}

function openLock(home: string): number {
  try {
    return openPath(`${home}/${lockPath}`, O_RDWR | O_CREAT, 0o600);
  } catch (error) {
    throw toCleatError(error, `home ${JSON.stringify(home)}`);
  }
}

/** A name that nothing has: 128 random bits. */
export function uniqueName(): string {
  return randomBytes(16).toString("hex");
}

/** Where a new thing is made, relative to the home. */
export function stagingPath(name: string): string {
  return `${stagingFolder}/${name}`;
}

/** Whether the path lies in what nobody has any more, or not yet; who died there may have left it mounted. */
export function isStagedOrTrashed(home: string, path: string): boolean {
  return [stagingFolder, trashFolder].some((folder) => path.startsWith(`${home}/${folder}/`));
}

/** Takes `path` out of the store in one step; what that leaves to delete is `emptyTrash`'s. */
function discard(homeDescriptor: number, path: string): string {
  const name = uniqueName();
  const move = () => renameat2(homeDescriptor, path, homeDescriptor, `${trashFolder}/${name}`);
  despiteProtection(homeDescriptor, path, [], move);
  return name;
}

/**
 * The same, but on a disk so full that nothing can be renamed (btrfs, which deletes all the same) it runs
 * `removeInPlace`, and returns nothing to delete: removing layers is how room is made.
 */
export function discardOrRemove(homeDescriptor: number, path: string, removeInPlace: () => void): string | undefined {
  try {
    return discard(homeDescriptor, path);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
  syncfs(homeDescriptor); // what was deleted before becomes free with it
  try {
    return discard(homeDescriptor, path);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    removeInPlace();
    return undefined;
  }
}

/**
 * Takes what was staged, and is not wanted any more, into the trash under `name`, in one step whatever its size; not
 * there is success. Where it cannot be moved (a full disk) it is deleted here.
 */
export function discardStaged(
  homeDescriptor: number,
  path: string,
  name: string,
  remove: Remove = removeForGood,
): void {
  try {
    renameat2(homeDescriptor, path, homeDescriptor, `${trashFolder}/${name}`);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    withFolder(homeDescriptor, dirname(path), (folder) => remove(folder, basename(path)));
  }
}

/**
 * Deletes a name in an open folder with all that lies below; a driver whose layers are more than folders has its own.
 */
export type Remove = (folder: number, name: Buffer | string) => void;

/** Deletes what `discard` took out. */
export function emptyTrash(home: string, name: string, remove: Remove = removeForGood): void {
  withFolderAt(`${home}/${trashFolder}`, (folder) => remove(folder, name));
}

/**
 * Takes what a crash left in staging into the trash, in one step each, whatever its size: with what is there already it
 * is deleted behind the opening (`emptyTrashBehind`), for which nobody waits. On a disk with hardly any room left all
 * of it is deleted here, since it is the room that there is.
 *
 * What the kernel will neither move nor delete (where this process may not take away the marks of immutable files, say)
 * stays for the next time: it is in nobody's way, and a store that would not open would be.
 */
export function sweep(home: string, remove: Remove = removeForGood): void {
  withFolderAt(home, (folder) =>
    withFolder(folder, stagingFolder, (staging) =>
      withFolder(folder, trashFolder, (trash) => {
        for (const name of withFolder(staging, ".", readNames)) moveOrRemove(staging, name, trash, remove);
        if (!hasRoom(home)) {
          for (const name of withFolder(trash, ".", readNames)) removeIfPossible(remove, trash, name);
        }
      }),
    ),
  );
}

function moveOrRemove(staging: number, name: Buffer, trash: number, remove: Remove): void {
  try {
    renameat2(staging, name, trash, uniqueName());
  } catch (error) {
    if (!isSystemError(error)) throw error;
    removeIfPossible(remove, staging, name);
  }
}

/** What a driver needs to try out what it can do, and an engine for the next small layer. */
const leastRoom = { bytes: 64 * 2 ** 20, inodes: 1024 };

function hasRoom(home: string): boolean {
  const { bavail, bsize, files, ffree } = statfsSync(home);
  const hasInodes = files === 0 || ffree >= leastRoom.inodes; // btrfs makes them as they are needed
  return hasInodes && bavail * bsize >= leastRoom.bytes;
}

/** Also for what a driver finds of layers that are gone. */
export function removeIfPossible(remove: Remove, folder: number, name: Buffer | string): void {
  try {
    remove(folder, name);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}
