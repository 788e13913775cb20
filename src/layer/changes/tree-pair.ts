/** Two trees in step, and what both have under the names of one folder. */
import { type FileStatus, isDirectory, statIfThere } from "../../syscall/index.ts";
import { alikeFilesDiffer } from "./alike-files.ts";
import { statusDiffers } from "./change.ts";
import type { FolderPair, NameOfBoth } from "./names-of-both.ts";
import { createFolderTrail, type FolderTrail } from "../tree/folder-trail.ts";

/**
 * Tells of a file, which is alike in all that `stat` shows, whether it is known to be the same in both trees, so that
 * it need not be read. `path` is a byte string without a leading slash.
 */
export type IsKnownSame = (path: string, newer: FileStatus, older: FileStatus) => boolean;

/** The ways to the same folder in both trees. */
export interface Trails {
  readonly newer: FolderTrail;
  readonly older: FolderTrail | undefined;
}

export function createTrails(newer: number, older?: number): Trails {
  return {
    newer: createFolderTrail(newer),
    older: older === undefined ? undefined : createFolderTrail(older),
  };
}

export function currentPair({ newer, older }: Trails, isInOlder: boolean): FolderPair {
  return { newer: newer.current(), older: isInOlder ? older?.current() : undefined };
}

export function enter({ newer, older }: Trails, name: Buffer, isInOlder: boolean): void {
  newer.enter(name);
  if (isInOlder) older?.enter(name);
}

export function leave({ newer, older }: Trails, isInOlder: boolean): void {
  newer.leave();
  if (isInOlder) older?.leave();
}

/** What both trees have under a name. */
export interface Pair {
  readonly status: FileStatus;
  /** Nothing where the older tree has no such name. */
  readonly before: FileStatus | undefined;
  readonly isChanged: boolean;
}

/** What is under a name at `path`; `undefined` where that vanished, or is one and the same file in both trees. */
export function lookAtPair(
  { name: base, isOld }: NameOfBoth,
  { newer, older }: FolderPair,
  path: string,
  isKnownSame: IsKnownSame,
): Pair | undefined {
  const status = statIfThere(newer, base);
  if (status === undefined) return undefined;
  const before = older === undefined || !isOld ? undefined : statIfThere(older, base);
  if (before?.inode === status.inode && before.fileSystem === status.fileSystem) return undefined;
  const isChanged =
    older === undefined ||
    before === undefined ||
    statusDiffers(before, status) ||
    (!isDirectory(status) && !isKnownSame(path, status, before) && alikeFilesDiffer(newer, older, base, status));
  return { status, before, isChanged };
}
