import { isDiskFull, isSystemError } from "../../errors/index.ts";
import {
  createFolderTrail,
  despiteProtection,
  type FolderTrail,
  openUnmounted,
  removeForGood,
  type WalkedFolder,
  walkFolders,
  withFolder,
  withUnmountedFolder,
} from "../../layer/index.ts";
import {
  destroySubvolume,
  dropQuotaGroup,
  type FileStatus,
  hasNestedSubvolumes,
  isDirectory,
  isReadOnlySubvolume,
  isSubvolume,
  readNames,
  readSomeNames,
  renameat2,
  setSubvolumeReadOnly,
  statIfThere,
  subvolumeInfo,
} from "../../syscall/index.ts";
import { uniqueName } from "../../graphdriver/job-kit.ts";

/**
 * Removes `name` in an open folder with everything below it, as `removeForGood` does, but subvolumes in one step each.
 * Nothing there is success; symlinks are removed, never followed, and what is mounted below is left alone.
 *
 * The kernel deletes no subvolume that holds another, and any process in a container can have made some, read-only ones
 * too and at any depth. They are moved beside `name` and deleted one after another, so that neither descriptors nor
 * stack grow with their nesting, and a crash leaves them where the next start sweeps. The walk that finds them is made
 * only where the kernel says that there are some.
 */
export function removeSubvolumes(parent: number, name: Buffer | string): void {
  const pending = [name];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const status = statIfThere(parent, next);
    if (status === undefined) continue;
    if (isSubvolume(status)) pending.push(...removeOne(parent, next));
    else if (isDirectory(status)) pending.push(...removeFolder(parent, next));
    else removeForGood(parent, next);
  }
}

/** Returns the names of subvolumes that are left to remove. */
function removeOne(parent: number, name: Buffer | string): string[] {
  const { id, moved } = withUnmountedFolder(parent, name, (subvolume) => ({
    id: subvolumeInfo(subvolume).id,
    moved: moveNestedOut(subvolume, parent),
  }));
  despiteProtection(parent, name, [], () => destroySubvolume(parent, name));
  dropQuotaGroup(parent, id);
  return moved;
}

/** A folder tells nobody whether a subvolume lies in it, but it is to be walked anyway. */
function removeFolder(parent: number, name: Buffer | string): string[] {
  const moved = withUnmountedFolder(parent, name, (folder) => moveFoundOut(folder, parent));
  removeForGood(parent, name);
  return moved;
}

/** A process that goes on making subvolumes while its layer is removed must not keep a thread for good. */
const maxWalks = 20;

function moveNestedOut(subvolume: number, to: number): string[] {
  const moved: string[] = [];
  for (let walks = 0; walks < maxWalks && hasNestedSubvolumes(subvolume); walks++) {
    makeWritableIfRoom(subvolume);
    moved.push(...moveFoundOut(subvolume, to));
  }
  return moved;
}

/** Nothing can be moved out of a read-only subvolume, nor can that itself be moved. */
function makeWritable(subvolume: number): void {
  if (isReadOnlySubvolume(subvolume)) setSubvolumeReadOnly(subvolume, false);
}

/** On a full disk nothing can be moved anyway, and a read-only subvolume is deleted like any other. */
export function makeWritableIfRoom(subvolume: number): void {
  try {
    makeWritable(subvolume);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}

/**
 * Removes `name` as `removeSubvolumes` does, where nothing can be moved, since the disk is full: those inside go first,
 * each in its place. A subvolume without any goes in one step; no descriptors or stack grow with the nesting of
 * folders.
 * @throws ABORTED when a folder is moved while the walk is far below it.
 */
export function removeInPlace(parent: number, name: Buffer | string): void {
  const status = statIfThere(parent, name);
  if (status === undefined) return;
  if (!isDirectory(status)) return removeForGood(parent, name);
  const trail = createFolderTrail(parent, openUnmounted);
  try {
    const enter = (child: Buffer): DoomedFolder | undefined => {
      const found = statIfThere(trail.current(), child);
      return found !== undefined && isDirectory(found) ? enterDoomed(trail, child, found) : undefined;
    };
    const leave = (folder: DoomedFolder): void => {
      trail.leave();
      removeLeft(trail.current(), folder);
    };
    walkFolders(enterDoomed(trail, Buffer.from(name), status), enter, leave);
  } finally {
    trail.close();
  }
}

/** A folder that goes when the walk leaves it; pending is what may be a folder in which subvolumes lie. */
interface DoomedFolder extends WalkedFolder<Buffer> {
  readonly name: Buffer;
  /** Of a subvolume. */
  readonly id: bigint | undefined;
}

function enterDoomed(trail: FolderTrail, name: Buffer, status: FileStatus): DoomedFolder {
  trail.enter(name);
  const folder = trail.current();
  const id = isSubvolume(status) ? subvolumeInfo(folder).id : undefined;
  const isNested = id === undefined || hasNestedSubvolumes(folder);
  return { name, id, pending: isNested ? readNames(folder) : [] };
}

function removeLeft(parent: number, { name, id }: DoomedFolder): void {
  if (id === undefined) return removeForGood(parent, name);
  despiteProtection(parent, name, [], () => destroySubvolume(parent, name));
  dropQuotaGroup(parent, id);
}

interface Walk {
  readonly top: number;
  readonly to: number;
  /** Names in `to` that subvolumes were given. */
  readonly moved: string[];
  /** Names in `top` whose folders are to be walked: itself, and those that lay too deep. */
  readonly folders: string[];
}

function moveFoundOut(top: number, to: number): string[] {
  const walk: Walk = { top, to, moved: [], folders: ["."] };
  for (let folder = walk.folders.pop(); folder !== undefined; folder = walk.folders.pop()) {
    withFolder(top, folder, (opened) => visitFolder(opened, 1, walk));
  }
  return walk.moved;
}

/**
 * Each level costs an open descriptor and some stack; what lies deeper than this is first moved up, as `removeForGood`
 * does it.
 */
const maxDepth = 32;

/**
 * Some thousand names at a time, for there may be millions. Those that are passed over, because the folder changes, the
 * next walk finds.
 */
function visitFolder(folder: number, depth: number, walk: Walk): void {
  withFolder(folder, ".", (names) => {
    for (let some = nextNames(names); some.length > 0; some = nextNames(names)) {
      for (const name of some) visitEntry(folder, name, depth, walk);
    }
  });
}

function nextNames(opened: number): Buffer[] {
  const names: Buffer[] = [];
  while (names.length === 0 && readSomeNames(opened, names));
  return names;
}

function visitEntry(folder: number, name: Buffer, depth: number, walk: Walk): void {
  const status = statIfThere(folder, name);
  if (status === undefined || !isDirectory(status)) return;
  try {
    if (isSubvolume(status)) {
      moveOutIfRoom(folder, name, walk);
    } else if (depth === maxDepth) walk.folders.push(moveTo(walk.top, folder, name));
    else withUnmountedFolder(folder, name, (child) => visitFolder(child, depth + 1, walk));
  } catch (error) {
    // Somebody put another thing there meanwhile, or has something mounted there, which is not of the tree.
    if (!isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP", "EXDEV", "EBUSY")) throw error;
  }
}

function moveOutIfRoom(folder: number, name: Buffer, { to, moved }: Walk): void {
  try {
    withUnmountedFolder(folder, name, makeWritable);
    moved.push(moveTo(to, folder, name));
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    removeInPlace(folder, name);
  }
}

function moveTo(target: number, folder: number, name: Buffer): string {
  const moved = uniqueName();
  despiteProtection(folder, name, [folder, target], () => renameat2(folder, name, target, moved));
  return moved;
}
