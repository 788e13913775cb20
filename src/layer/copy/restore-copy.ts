import {
  fgetxattr,
  type FileStatus,
  flistxattr,
  fremovexattr,
  fstat,
  fsync,
  isDirectory,
  mkdirat,
  readNames,
  statIfThere,
  syncfs,
} from "../../syscall/index.ts";
import { joinPath } from "../entry/entry-name.ts";
import { createFolderTrail, type FolderTrail } from "../tree/folder-trail.ts";
import { copyOpenAttributes } from "./copy-file.ts";
import { copyNode } from "./copy-tree.ts";

export interface RestoreOptions {
  /**
   * Whether what the copy has at `path` is what `copyTree` put there, and nothing of it was changed since; of a folder,
   * nor were the names in it.
   */
  isUntouched(path: string, copy: FileStatus, original: FileStatus): boolean;
  /** Takes away what the original does not have. */
  remove(folder: number, name: Buffer): void;
  /** Whether what was changed here is made durable. */
  readonly durable: boolean;
}

/**
 * Makes the open folder `to`, once copied from `from` by `copyTree`, that copy again, attributes included: what is not
 * `isUntouched` is taken away and copied anew. Costs a walk, and what was changed. Returns whether it could: of files
 * with several names too little is known, and then the whole must be copied. Blocks; runs on a worker.
 */
export function restoreCopy(from: number, to: number, options: RestoreOptions): boolean {
  const restoring = {
    originals: createFolderTrail(from),
    copies: createFolderTrail(to),
    options,
    syncedFolders: 0,
    needsSync: false,
  };
  if (!restoreFolder(restoring, "", { status: fstat(from), stays: false })) return false;
  if (options.durable && restoring.needsSync) syncfs(to);
  return true;
}

interface Restoring {
  readonly originals: FolderTrail;
  readonly copies: FolderTrail;
  readonly options: RestoreOptions;
  /** So many were made durable by themselves. */
  syncedFolders: number;
  /** Whether all that is not durable yet becomes so at once, in the end. */
  needsSync: boolean;
}

/** Beyond that, to sync the file system costs less. */
const maxSyncedFolders = 8;

interface FolderState {
  readonly status: FileStatus;
  /** Whether its attributes and names are still those of the copy. */
  readonly stays: boolean;
}

/** Of the folders that both trails stand in. */
function restoreFolder(restoring: Restoring, path: string, folder: FolderState): boolean {
  const { originals, copies, options } = restoring;
  const names = readNames(originals.current());
  let ownStays = folder.stays;
  removeAllBut(names, copies.current(), options);
  for (const name of names) {
    const status = statIfThere(originals.current(), name);
    if (status === undefined) continue;
    const childPath = joinPath(path, name);
    const copy = statIfThere(copies.current(), name);
    const stays = copy !== undefined && isAlike(copy, status) && options.isUntouched(childPath, copy, status);
    const child = { status, stays };
    if (isDirectory(status)) {
      makeFolder(copies.current(), name, copy, options);
      const restoreChild = (): boolean => restoreFolder(restoring, childPath, child);
      if (!originals.within(name, () => copies.within(name, restoreChild))) return false;
    } else if (!child.stays) {
      if (status.links > 1) return false;
      if (copy !== undefined) options.remove(copies.current(), name);
      copyNode(originals.current(), copies.current(), name, status, { clones: true, intoFinished: true });
      ownStays = false;
      restoring.needsSync = true;
    }
  }
  if (!ownStays) settleFolder(restoring, folder.status);
  return true;
}

/**
 * As far as a look tells. The time of change alone does not suffice: that of what was changed while the clock was set
 * back may lie within the copy's.
 */
function isAlike(copy: FileStatus, original: FileStatus): boolean {
  return (
    copy.mode === original.mode &&
    copy.uid === original.uid &&
    copy.gid === original.gid &&
    copy.mtimeSeconds === original.mtimeSeconds &&
    copy.mtimeNanoseconds === original.mtimeNanoseconds &&
    (copy.sizeBytes === original.sizeBytes || isDirectory(copy))
  );
}

function removeAllBut(names: readonly Buffer[], folder: number, { remove }: RestoreOptions): void {
  const kept = new Set(names.map((name) => name.toString("latin1")));
  for (const name of readNames(folder)) if (!kept.has(name.toString("latin1"))) remove(folder, name);
}

function makeFolder(parent: number, name: Buffer, found: FileStatus | undefined, { remove }: RestoreOptions): void {
  if (found !== undefined && isDirectory(found)) return;
  if (found !== undefined) remove(parent, name);
  mkdirat(parent, name, 0o700);
}

function settleFolder(restoring: Restoring, status: FileStatus): void {
  const [from, to] = [restoring.originals.current(), restoring.copies.current()];
  for (const attribute of flistxattr(to)) if (fgetxattr(from, attribute) === undefined) fremovexattr(to, attribute);
  copyOpenAttributes(from, to, status);
  if (!restoring.options.durable || restoring.needsSync) return;
  restoring.syncedFolders++;
  if (restoring.syncedFolders > maxSyncedFolders) restoring.needsSync = true;
  else fsync(to);
}
