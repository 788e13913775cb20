import { type FileStatus, isDirectory } from "../../syscall/index.ts";
import type { TreeChange } from "./change.ts";
import { joinPath } from "../entry/entry-name.ts";
import { type FolderPair, type NameOfBoth, namesOfBoth } from "./names-of-both.ts";
import type { FolderTrail } from "../tree/folder-trail.ts";
import { createTrails, currentPair, enter, type IsKnownSame, leave, lookAtPair, type Trails } from "./tree-pair.ts";
import { withFolder } from "../tree/with-folder.ts";

/** A change as it is met in the walk. */
export type VisitedChange = VisitedFile | { readonly path: string; readonly kind: "deleted" };

/**
 * What the newer tree has instead; `folder`, which holds it as `base`, stays open until the next change is asked for.
 */
export interface VisitedFile {
  readonly path: string;
  readonly kind: "modified" | "added";
  readonly folder: number;
  readonly base: Buffer;
  readonly status: FileStatus;
}

export type { IsKnownSame } from "./tree-pair.ts";

/** `findChanges` as a list. */
export function compareTrees(newer: number, older: number | undefined, isKnownSame?: IsKnownSame): TreeChange[] {
  return Array.from(findChanges(newer, older, isKnownSame), ({ path, kind }) => ({ path, kind }));
}

/** Whether there is any change; costs a walk up to the first. */
export function treesDiffer(newer: number, older: number, isKnownSame: IsKnownSame = () => false): boolean {
  return firstChange(createTrails(newer, older), "", isKnownSame) !== undefined;
}

/**
 * Walks two whole trees side by side, both open as folders, and meets what differs, in the order of the bytes of its
 * paths: "a", "a.b", "a/c". Without `older`, everything in `newer` is added. Right for any driver, at the price of a
 * walk of both and of reading each file that is alike in both (`alike-files.ts`), unless `isKnownSame` says that it
 * need not be. A name that is the same inode in both is not looked into.
 *
 * Memory is the names of the folders on the way to where the walk stands. In return a folder "a" that is followed by a
 * name such as "a.b" may be walked twice up to its first change, because whether "a" is listed must be known before
 * "a.b" is; folders in it, up to that change, once more at most, however many are nested so.
 *
 * Source of the rules: moby v20.10.24 `pkg/archive/changes.go` `ChangesDirs`. Blocks; runs on a worker.
 * Few descriptors are open, however deep folders are nested (`folder-trail.ts`).
 * @throws OUT_OF_RANGE when folders are nested beyond what a path can name.
 * @throws ABORTED when a folder is moved while the walk is far below it.
 */
export function findChanges(
  newer: number,
  older: number | undefined,
  isKnownSame: IsKnownSame = () => false,
): Generator<VisitedChange> {
  return walk(createTrails(newer, older), "", true, isKnownSame);
}

/** A folder whose content is still to be looked into. */
interface VisitedFolder {
  readonly visited: Visited;
  /** Whether the older tree has a folder of that name. */
  readonly isFolderInOlder: boolean;
  /** Once it was given out as a change, as all folders above it then were. */
  isListed: boolean;
  /** The path of the first change in it, where that was looked for. */
  firstChange?: string | undefined;
}

/** What is given out of a file, but for the folder that it is in, which is opened for that. */
type Visited = Omit<VisitedFile, "folder">;

/** A folder that the walk is in. */
interface Frame {
  readonly path: string;
  /** Whether it is in both trees. */
  readonly isInOlder: boolean;
  /** What the walk visited it as; none of the roots. */
  readonly self: VisitedFolder | undefined;
  /** Of it, or of the nearest folder above of which that is known. */
  readonly firstChange: string | undefined;
  readonly names: Generator<NameOfBoth>;
  coming: NameOfBoth | undefined;
  /** Each after the next, as "a" after "a." whose content comes first. All but the last are listed. */
  readonly waiting: VisitedFolder[];
}

/** A stack of its own instead of recursion: folders can be nested deeper than a thread's stack allows. */
function* walk(trails: Trails, path: string, isOrdered: boolean, isKnownSame: IsKnownSame): Generator<VisitedChange> {
  const frames: Frame[] = [];
  const push = (self?: VisitedFolder): void => {
    const isInOlder = self === undefined ? trails.older !== undefined : isInBoth(frames, self);
    if (self !== undefined) enter(trails, self.visited.base, isInOlder);
    // Where the order does not matter, the change itself is all that is asked for.
    if (self !== undefined && !isOrdered) self.isListed = true;
    const first = self?.firstChange ?? frames.at(-1)?.firstChange;
    const names = namesOfBoth(currentPair(trails, isInOlder));
    const at = { path: self?.visited.path ?? path, isInOlder, self, firstChange: first };
    frames.push({ ...at, names, coming: nextOf(names), waiting: [] });
  };
  try {
    push();
    for (let frame = frames[0]; frame !== undefined; frame = frames.at(-1)) {
      const { coming, waiting } = frame;
      const last = waiting.at(-1);
      if (last !== undefined && (coming === undefined || !isOrdered || contentPrecedes(last, coming.name))) {
        waiting.pop();
        push(last);
        continue;
      }
      if (coming === undefined) {
        frames.pop();
        if (frame.self !== undefined) leave(trails, frame.isInOlder);
        continue;
      }
      const folders = currentPair(trails, frame.isInOlder);
      if (last?.isListed === false) {
        last.firstChange = findFirstChange(frame, folders, last, isKnownSame);
        if (last.firstChange !== undefined) yield* list(trails.newer, frames, last);
        else waiting.pop();
      }
      frame.coming = nextOf(frame.names);
      if (!coming.isNew) {
        yield* list(trails.newer, frames);
        yield { path: joinPath(frame.path, coming.name), kind: "deleted" };
        continue;
      }
      const found = lookAt(coming, folders, frame.path, isKnownSame);
      if (found === undefined) continue;
      if (found.isChanged) yield* list(trails.newer, frames, found);
      if (isDirectory(found.visited.status)) waiting.push(found);
    }
  } finally {
    trails.newer.close();
    trails.older?.close();
  }
}

function isInBoth(frames: readonly Frame[], folder: VisitedFolder): boolean {
  return folder.isFolderInOlder && frames.at(-1)?.isInOlder === true;
}

function nextOf(names: Generator<NameOfBoth>): NameOfBoth | undefined {
  const { done, value } = names.next();
  return done === true ? undefined : value;
}

/** Gives out the folders on the way that are not listed yet, then `last`. */
function* list(trail: FolderTrail, frames: readonly Frame[], last?: VisitedFolder): Generator<VisitedFile> {
  let first = frames.length;
  while (frames[first - 1]?.self?.isListed === false) first--;
  const unlisted = frames.slice(first).map(({ self }) => self as VisitedFolder);
  if (last !== undefined) unlisted.push(last);
  const folders = trail.along(first - 1);
  try {
    for (const unlistedFolder of unlisted) {
      unlistedFolder.isListed = true;
      yield { ...unlistedFolder.visited, folder: folders.next().value as number };
    }
  } finally {
    folders.return();
  }
}

/**
 * The path of the first change in a folder of the two that the walk stands in. What was found for a folder above it is
 * not looked for again: whoever nests folders and ends them in a change would have each level walked for each above it.
 */
function findFirstChange(
  { firstChange: known }: Frame,
  pair: FolderPair,
  { visited: { path, base }, isFolderInOlder }: VisitedFolder,
  isKnownSame: IsKnownSame,
): string | undefined {
  if (known?.startsWith(`${path}/`) === true) return known;
  return withFolder(pair.newer, base, (newer) => {
    if (pair.older === undefined || !isFolderInOlder) return firstChange(createTrails(newer), path, isKnownSame);
    return withFolder(pair.older, base, (older) => firstChange(createTrails(newer, older), path, isKnownSame));
  });
}

function firstChange(trails: Trails, path: string, isKnownSame: IsKnownSame): string | undefined {
  for (const change of walk(trails, path, false, isKnownSame)) return change.path;
  return undefined;
}

/** Whether all that lies in the folder comes before its later sibling `name`: "a/…" before "ab", but after "a.b". */
function contentPrecedes({ visited: { base } }: VisitedFolder, name: Buffer): boolean {
  const isPrefix = name.length > base.length && name.compare(base, 0, base.length, 0, base.length) === 0;
  return !isPrefix || (name[base.length] as number) > slash;
}

const slash = 0x2f;

/** What the newer tree has under a name; `undefined` where that vanished, or is one and the same file in both trees. */
function lookAt(
  name: NameOfBoth,
  folders: FolderPair,
  folderPath: string,
  isKnownSame: IsKnownSame,
): Found | undefined {
  const path = joinPath(folderPath, name.name);
  const pair = lookAtPair(name, folders, path, isKnownSame);
  if (pair === undefined) return undefined;
  const { status, before, isChanged } = pair;
  return {
    visited: { path, kind: before === undefined ? "added" : "modified", base: name.name, status },
    isFolderInOlder: before !== undefined && isDirectory(before),
    isListed: false,
    isChanged,
  };
}

interface Found extends VisitedFolder {
  readonly isChanged: boolean;
}
