import {
  close,
  type FileStatus,
  isDirectory,
  isSubvolume,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  readNames,
  statat,
  statIfThere,
  throwIfCancelled,
} from "../../syscall/index.ts";
import { isSystemError } from "../../errors/index.ts";
import { fileKey } from "../entry/file-key.ts";
import { statOpened } from "../tree/with-folder.ts";

/** What lies below a folder, the folder included; a file of several names counts once. */
export interface DiskUsage {
  /** Lengths of files, as `du --apparent-size` has them; folders count nothing. */
  readonly apparentBytes: number;
  /** Blocks taken, folders included, as `du` has them. */
  readonly allocatedBytes: number;
  readonly entries: number;
  /** Whether nothing was passed over: folders that moved while they were walked, or that this user may not read. */
  readonly complete: boolean;
}

interface Level {
  readonly status: FileStatus;
  /** Folders in it that are to be walked. */
  readonly pending: Buffer[];
}

interface Count {
  apparentBytes: number;
  allocatedBytes: number;
  entries: number;
  complete: boolean;
}

/**
 * Counts an open folder of any depth: one descriptor walks down by name and up by `..`, checking where it comes out, so
 * that nesting costs no descriptors and no stack. Symlinks are not followed; what is mounted below is passed over,
 * subvolumes are not. Of folders that this user may not read, nothing is counted but themselves. Blocks for as long as
 * reading all folders takes.
 * @throws SystemError EACCES when that is the root itself.
 */
export function diskUsage(root: number): DiskUsage {
  const count: Count = { apparentBytes: 0, allocatedBytes: 0, entries: 0, complete: true };
  const seen = new Set<string>();
  let folder = openat(root, ".", O_RDONLY | O_DIRECTORY);
  try {
    const levels = [enter(folder, count, seen)];
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const name = level.pending.pop();
      const next = name === undefined ? goUp(folder, levels, count) : goDown(folder, name, levels, count, seen);
      if (next === undefined) continue;
      close(folder);
      folder = next;
    }
  } finally {
    close(folder);
  }
  return count;
}

/** Counts what lies right in a folder. */
function enter(folder: number, count: Count, seen: Set<string>): Level {
  const status = statat(folder, "."); // which also fails where names in it may not be looked up, `..` among them
  count.entries++;
  count.allocatedBytes += status.allocatedBytes;
  const pending: Buffer[] = [];
  for (const name of readNames(folder)) {
    throwIfCancelled(); // there may be millions
    const entry = statIfThere(folder, name);
    if (entry === undefined) continue;
    if (isDirectory(entry)) {
      if (entry.fileSystem === status.fileSystem || isSubvolume(entry)) pending.push(name);
    } else countFile(entry, count, seen);
  }
  return { status, pending };
}

function countFile(file: FileStatus, count: Count, seen: Set<string>): void {
  if (file.links > 1) {
    const key = fileKey(file);
    if (seen.has(key)) return;
    seen.add(key);
  }
  count.entries++;
  count.apparentBytes += file.sizeBytes;
  count.allocatedBytes += file.allocatedBytes;
}

function goDown(folder: number, name: Buffer, levels: Level[], count: Count, seen: Set<string>): number | undefined {
  let child: number | undefined;
  try {
    child = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    levels.push(enter(child, count, seen));
    return child;
  } catch (error) {
    if (child !== undefined) close(child);
    if (!isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES")) throw error;
    if (error.code === "EACCES") countFolder(folder, name, count); // the others: it is gone meanwhile
    return undefined;
  }
}

/** Counts a folder without what is in it, as `du` does where it may not read. */
function countFolder(parent: number, name: Buffer, count: Count): void {
  count.complete = false;
  count.entries++;
  count.allocatedBytes += statIfThere(parent, name)?.allocatedBytes ?? 0;
}

/** Ends the walk where somebody moved the folder that it stands in: above it is no longer what was walked. */
function goUp(folder: number, levels: Level[], count: Count): number | undefined {
  levels.pop();
  const above = levels.at(-1);
  if (above === undefined) return undefined;
  const parent = openat(folder, "..", O_RDONLY | O_DIRECTORY);
  const { inode, fileSystem } = statOpened(parent);
  if (inode === above.status.inode && fileSystem === above.status.fileSystem) return parent;
  close(parent);
  levels.length = 0;
  count.complete = false;
  return undefined;
}
