import { close, type FileStatus, isDirectory, readNames, statIfThere } from "../../syscall/index.ts";
import { alikeFilesDiffer } from "./alike-files.ts";
import { statusDiffers, type TreeChange } from "./change.ts";
import { joinPath } from "../entry/entry-name.ts";
import { openFolder } from "../tree/with-folder.ts";

/** A change as it is met in the walk. */
export type MetChange = MetFile | { readonly path: string; readonly kind: "deleted" };

/** What the newer tree has instead; `folder`, which holds it as `base`, stays open until the next change is asked for. */
export interface MetFile {
  readonly path: string;
  readonly kind: "modified" | "added";
  readonly folder: number;
  readonly base: Buffer;
  readonly status: FileStatus;
}

/**
 * Tells of a file, which is alike in all that `stat` shows, whether it is known to be the same in both trees, so that it
 * need not be read. `path` is a byte string without a leading slash.
 */
export type IsKnownSame = (path: string, newer: FileStatus, older: FileStatus) => boolean;

/** `findChanges` as a list. */
export function compareTrees(newer: number, older: number | undefined, isKnownSame?: IsKnownSame): TreeChange[] {
  return Array.from(findChanges(newer, older, isKnownSame), ({ path, kind }) => ({ path, kind }));
}

/** Whether there is any change; costs a walk up to the first. */
export function treesDiffer(newer: number, older: number, isKnownSame: IsKnownSame = () => false): boolean {
  return anyChange({ newer, older, path: "" }, isKnownSame);
}

/**
 * Walks two whole trees side by side, both open as folders, and meets what differs, in the order of the bytes of its paths:
 * "a", "a.b", "a/c". Without `older`, everything in `newer` is added. Right for any driver, at the price of a walk of both
 * and of reading each file that is alike in both (`alike-files.ts`), unless `isKnownSame` says that it need not be. A
 * name that is the same inode in both is not looked into.
 *
 * Memory is the names of the folders on the way to where the walk stands. In return a folder "a" that is followed by a name
 * such as "a.b" may be walked twice up to its first change, because whether "a" is listed must be known before "a.b" is.
 *
 * Source of the rules: moby v20.10.24 `pkg/archive/changes.go` `ChangesDirs`. Blocks; runs on a worker.
 * @throws OUT_OF_RANGE when folders are nested beyond what a path can name.
 */
export function findChanges(
  newer: number,
  older: number | undefined,
  isKnownSame: IsKnownSame = () => false,
): Generator<MetChange> {
  return walk({ newer, older, path: "" }, true, isKnownSame);
}

/** The same folder in both trees, open; without `older` it is new. */
interface FolderPair {
  readonly newer: number;
  readonly older: number | undefined;
  readonly path: string;
}

/** A folder whose content is still to be looked into. */
interface MetFolder {
  readonly met: MetFile;
  /** Whether the older tree has a folder of that name. */
  readonly isFolderInOlder: boolean;
  /** Once it was given out as a change, as all folders above it then were. */
  isListed: boolean;
}

/** A folder that the walk is in. */
interface Frame extends FolderPair {
  /** What the walk met it as; the roots were not met. */
  readonly self: MetFolder | undefined;
  readonly names: Generator<NameOfBoth>;
  coming: NameOfBoth | undefined;
  /** Each after the next, as "a" after "a." whose content comes first. All but the last are listed. */
  readonly waiting: MetFolder[];
}

/** A stack of its own instead of recursion: folders can be nested deeper than a thread's stack allows. */
function* walk(roots: FolderPair, isOrdered: boolean, isKnownSame: IsKnownSame): Generator<MetChange> {
  const frames: Frame[] = [];
  const push = (frame: Frame): void => {
    frames.push(frame);
    frame.coming = nextOf(frame.names);
  };
  try {
    push(createFrame(roots, undefined));
    for (let frame = frames[0]; frame !== undefined; frame = frames.at(-1)) {
      const { coming, waiting } = frame;
      const last = waiting.at(-1);
      if (last !== undefined && (coming === undefined || !isOrdered || contentPrecedes(last, coming.name))) {
        waiting.pop();
        push(createFrame(openContent(frame, last), last));
        continue;
      }
      if (coming === undefined) {
        frames.pop();
        leave(frame);
        continue;
      }
      if (last?.isListed === false) {
        if (hasChanges(frame, last, isKnownSame)) yield* list(frames, last);
        else waiting.pop();
      }
      frame.coming = nextOf(frame.names);
      if (!coming.isNew) {
        yield* list(frames);
        yield { path: joinPath(frame.path, coming.name), kind: "deleted" };
        continue;
      }
      const found = lookAt(coming, frame, isKnownSame);
      if (found === undefined) continue;
      if (found.isChanged) yield* list(frames, found);
      if (isDirectory(found.met.status)) waiting.push(found);
    }
  } finally {
    for (const frame of frames) leave(frame);
  }
}

function createFrame(pair: FolderPair, self: MetFolder | undefined): Frame {
  return { ...pair, self, names: namesOfBoth(pair), coming: undefined, waiting: [] };
}

function nextOf(names: Generator<NameOfBoth>): NameOfBoth | undefined {
  const { done, value } = names.next();
  return done === true ? undefined : value;
}

/** Both are the caller's to close. */
function openContent({ newer, older }: FolderPair, { met, isFolderInOlder }: MetFolder): FolderPair {
  const newChild = openFolder(newer, met.base);
  try {
    const oldChild = older !== undefined && isFolderInOlder ? openFolder(older, met.base) : undefined;
    return { newer: newChild, older: oldChild, path: met.path };
  } catch (error) {
    close(newChild);
    throw error;
  }
}

/** The roots are the caller's. */
function leave(frame: Frame): void {
  if (frame.self !== undefined) closeBoth(frame);
}

function closeBoth({ newer, older }: FolderPair): void {
  close(newer);
  if (older !== undefined) close(older);
}

/** Gives out the folders on the way that are not listed yet, then `last`. */
function* list(frames: readonly Frame[], last?: MetFolder): Generator<MetFile> {
  const unlisted = last === undefined ? [] : [last];
  for (let at = frames.length - 1; frames[at]?.self?.isListed === false; at--) {
    unlisted.push(frames[at]?.self as MetFolder);
  }
  for (const folder of unlisted.toReversed()) {
    folder.isListed = true;
    yield folder.met;
  }
}

function hasChanges(frame: Frame, folder: MetFolder, isKnownSame: IsKnownSame): boolean {
  const content = openContent(frame, folder);
  try {
    return anyChange(content, isKnownSame);
  } finally {
    closeBoth(content);
  }
}

function anyChange(pair: FolderPair, isKnownSame: IsKnownSame): boolean {
  for (const _ of walk(pair, false, isKnownSame)) return true;
  return false;
}

interface NameOfBoth {
  readonly name: Buffer;
  readonly isNew: boolean;
  readonly isOld: boolean;
}

/** The names of both folders, each once, sorted by their bytes. */
function* namesOfBoth({ newer, older }: FolderPair): Generator<NameOfBoth> {
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

/** Whether all that lies in the folder comes before its later sibling `name`: "a/…" before "ab", but after "a.b". */
function contentPrecedes({ met: { base } }: MetFolder, name: Buffer): boolean {
  const isPrefix = name.length > base.length && name.compare(base, 0, base.length, 0, base.length) === 0;
  return !isPrefix || (name[base.length] as number) > slash;
}

const slash = 0x2f;

/** What the newer tree has under a name; `undefined` where that vanished, or is one and the same file in both trees. */
function lookAt(
  { name: base, isOld }: NameOfBoth,
  { newer, older, path: folderPath }: FolderPair,
  isKnownSame: IsKnownSame,
): Found | undefined {
  const status = statIfThere(newer, base);
  if (status === undefined) return undefined;
  const before = older === undefined || !isOld ? undefined : statIfThere(older, base);
  if (before?.inode === status.inode && before.fileSystem === status.fileSystem) return undefined;
  const path = joinPath(folderPath, base);
  const isChanged =
    older === undefined ||
    before === undefined ||
    statusDiffers(before, status) ||
    (!isDirectory(status) && !isKnownSame(path, status, before) && alikeFilesDiffer(newer, older, base, status));
  return {
    met: { path, kind: before === undefined ? "added" : "modified", folder: newer, base, status },
    isFolderInOlder: before !== undefined && isDirectory(before),
    isListed: false,
    isChanged,
  };
}

interface Found extends MetFolder {
  readonly isChanged: boolean;
}
