/** Two trees in step, and what both have under the names of one folder. */
import { type FileStatus, isDirectory, readNames, statIfThere } from "../../syscall/index.ts";
import { alikeFilesDiffer } from "./alike-files.ts";
import { statusDiffers } from "./change.ts";
import { createFolderTrail, type FolderTrail } from "../tree/folder-trail.ts";

/**
 * Tells of a file, which is alike in all that `stat` shows, whether it is known to be the same in both trees, so that it
 * need not be read. `path` is a byte string without a leading slash.
 */
export type IsKnownSame = (path: string, newer: FileStatus, older: FileStatus) => boolean;

/** The ways to the same folder in both trees. */
export interface Trails {
  readonly newer: FolderTrail;
  readonly older: FolderTrail | undefined;
}

/** Where both trees have the folder that the walk stands in; without `older` it is new. */
export interface FolderPair {
  readonly newer: number;
  readonly older: number | undefined;
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

export interface NameOfBoth {
  readonly name: Buffer;
  readonly isNew: boolean;
  readonly isOld: boolean;
}

/** The names of both folders, each once, sorted by their bytes. */
export function* namesOfBoth({ newer, older }: FolderPair): Generator<NameOfBoth> {
  const newNames = readNames(newer);
  const oldNames = older === undefined ? [] : readNames(older);
  let at = 0;
  for (const name of newNames) {
    let order = 1;
    for (let old = oldNames[at]; old !== undefined; old = oldNames[at]) {
      order = Buffer.compare(old, name);
      if (order > 0) break;
      at++;
      if (order === 0) break;
      yield { name: old, isNew: false, isOld: true };
    }
    yield { name, isNew: true, isOld: order === 0 };
  }
  for (const name of oldNames.slice(at)) yield { name, isNew: false, isOld: true };
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
