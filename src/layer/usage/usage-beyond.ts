import {
  type FileStatus,
  fstat,
  isDirectory,
  isSubvolume,
  readNames,
  statIfThere,
  throwIfCancelled,
} from "../../syscall/index.ts";
import { fileKey } from "../entry/file-key.ts";
import { createFolderTrail, type FolderTrail, type WalkedFolder, walkFolders } from "../tree/folder-trail.ts";
import type { DiskUsage } from "./disk-usage.ts";

interface Count {
  apparentBytes: number;
  allocatedBytes: number;
  entries: number;
  readonly complete: true;
  readonly seen: Set<string>;
}

/**
 * What an open folder takes of the disk beyond another of which it is a snapshot, on a file system where a snapshot has
 * its files' inodes from there: a file counts whole that is another inode than under this name there, or was written to
 * since; a folder that is new, or another's. The two roots do not count. A file of several names counts once; what was
 * moved counts where it is, for it is of no name there. Blocks; costs a look at every name of the newer tree, and reads
 * no content.
 *
 * Source of what counts: containerd's `fs` package of `continuity` v0.4.5, `diffUsage` in `du_unix.go`.
 * @throws ABORTED when a folder is moved while the walk is far below it.
 */
export function usageBeyond(newer: number, older: number): DiskUsage {
  const count: Count = { apparentBytes: 0, allocatedBytes: 0, entries: 0, complete: true, seen: new Set() };
  const trails = { newer: createFolderTrail(newer), older: createFolderTrail(older) };
  try {
    countBelow(trails.newer, trails.older, fstat(newer).fileSystem, count);
  } finally {
    trails.newer.close();
    trails.older.close();
  }
  const { seen: _, ...usage } = count;
  return usage;
}

/** A folder that the walk is in. */
interface CountedFolder extends WalkedFolder<Buffer> {
  /** What is mounted below is passed over, subvolumes are not. */
  readonly fileSystem: number;
  readonly isInOlder: boolean;
}

function countBelow(newer: FolderTrail, older: FolderTrail, fileSystem: number, count: Count): void {
  const top: CountedFolder = { fileSystem, isInOlder: true, pending: readNames(newer.current()) };
  const leave = (folder: CountedFolder): void => {
    if (folder === top) return;
    newer.leave();
    if (folder.isInOlder) older.leave();
  };
  walkFolders(top, (name, folder) => countName(newer, older, name, folder, count), leave);
}

/** Enters a folder, and returns what is to be looked at there. */
function countName(
  newer: FolderTrail,
  older: FolderTrail,
  name: Buffer,
  { fileSystem, isInOlder }: CountedFolder,
  count: Count,
): CountedFolder | undefined {
  throwIfCancelled();
  const status = statIfThere(newer.current(), name);
  if (status === undefined || (status.fileSystem !== fileSystem && !isSubvolume(status))) return undefined;
  const before = isInOlder ? statIfThere(older.current(), name) : undefined;
  if (before === undefined || differs(status, before)) countOne(status, count);
  if (!isDirectory(status)) return undefined;
  const isInBoth = before !== undefined && isDirectory(before) && !isSubvolume(status);
  newer.enter(name);
  if (isInBoth) older.enter(name);
  return { fileSystem: status.fileSystem, isInOlder: isInBoth, pending: readNames(newer.current()) };
}

/** A folder's own times change with what is in it. */
function differs(status: FileStatus, before: FileStatus): boolean {
  if (status.mode !== before.mode || status.uid !== before.uid || status.gid !== before.gid) return true;
  if (isDirectory(status)) return false;
  return (
    status.inode !== before.inode ||
    status.ctimeSeconds !== before.ctimeSeconds ||
    status.ctimeNanoseconds !== before.ctimeNanoseconds ||
    status.sizeBytes !== before.sizeBytes ||
    status.allocatedBytes !== before.allocatedBytes
  );
}

function countOne(file: FileStatus, count: Count): void {
  if (!isDirectory(file)) {
    if (file.links > 1) {
      const key = fileKey(file);
      if (count.seen.has(key)) return;
      count.seen.add(key);
    }
    count.apparentBytes += file.sizeBytes;
  }
  count.entries++;
  count.allocatedBytes += file.allocatedBytes;
}
