import { CleatError } from "../../errors/index.ts";
import { close, type FileStatus, fstat, O_DIRECTORY, O_RDONLY, openat } from "../../syscall/index.ts";
import { openFolder, statOpened } from "./with-folder.ts";

/**
 * The folders on the way down to where a walk stands, of which only the last few are open: folders can be nested deeper
 * than there are descriptors, and many walks run at once. One that was closed is opened again by `..` of the one below
 * it, if that still leads there.
 */
export interface FolderTrail {
  /** The folder that the walk stands in, open until the next `within`. */
  current(): number;
  /**
   * Goes down into a folder, never through a symlink, for as long as `visit` runs.
   * @throws ABORTED when somebody moved that folder meanwhile.
   */
  within<T>(name: Buffer, visit: () => T): T;
  /** Goes down into a folder, never through a symlink, until `leave`; for walks that are no recursion. */
  enter(name: Buffer): void;
  /** @throws ABORTED when somebody moved the folder meanwhile; it is left all the same. */
  leave(): void;
  /**
   * Gives out the folders on the way from one so many levels down (the root is 0), each open until the next is asked
   * for.
   */
  along(level: number): Generator<number, void>;
  /** Closes all but the root. */
  close(): void;
}

const maxOpen = 16;

interface Level {
  /** Below the one above. */
  readonly name: Buffer;
  descriptor: number | undefined;
  /** Of a folder that is closed. */
  status: FileStatus | undefined;
}

/**
 * From an open folder, which stays its opener's to close. `open` opens what is gone down into, never through a symlink;
 * default `openFolder`. Blocks; at most 17 descriptors are open at once.
 */
export function createFolderTrail(root: number, open = openFolder): FolderTrail {
  const levels: Level[] = [{ name: Buffer.alloc(0), descriptor: root, status: undefined }];
  const last = (): Level => levels.at(-1) as Level;
  const current = (): number => last().descriptor as number;

  function closeOneFarAbove(): void {
    const level = levels[levels.length - 1 - maxOpen];
    if (level === undefined || level === levels[0] || level.descriptor === undefined) return;
    level.status = fstat(level.descriptor);
    close(level.descriptor);
    level.descriptor = undefined;
  }

  /** Opens one that is closed, by way of the nearest open one below it; the caller's to close. */
  function reopen(at: number): number {
    let nearest = at + 1;
    while (levels[nearest]?.descriptor === undefined) nearest++;
    let folder = openParent((levels[nearest] as Level).descriptor as number);
    for (let above = nearest - 1; above > at; above--) {
      const child = folder;
      try {
        folder = openParent(child);
      } finally {
        close(child);
      }
    }
    const { inode, fileSystem } = (levels[at] as Level).status as FileStatus;
    const found = statOpened(folder);
    if (found.inode === inode && found.fileSystem === fileSystem) return folder;
    close(folder);
    throw new CleatError("ABORTED", "a folder was moved while it was read");
  }

  function enter(name: Buffer): void {
    levels.push({ name, descriptor: open(current(), name), status: undefined });
    try {
      closeOneFarAbove();
    } catch (error) {
      closeLast();
      throw error;
    }
  }

  function closeLast(): void {
    const { descriptor } = levels.pop() as Level;
    if (descriptor !== undefined) close(descriptor);
  }

  function leave(): void {
    const above = levels.at(-2) as Level;
    try {
      above.descriptor ??= reopen(levels.length - 2);
    } finally {
      closeLast();
    }
  }

  return {
    current,
    enter,
    leave,
    within(name, visit) {
      enter(name);
      let result;
      try {
        result = visit();
      } catch (error) {
        closeLast();
        throw error;
      }
      leave();
      return result;
    },
    *along(level) {
      let own: number | undefined;
      try {
        for (let at = level; at < levels.length; at++) {
          const { descriptor, name } = levels[at] as Level;
          const next = descriptor ?? (own === undefined ? reopen(at) : open(own, name));
          if (own !== undefined) close(own);
          own = descriptor === undefined ? next : undefined;
          yield next;
        }
      } finally {
        if (own !== undefined) close(own);
      }
    },
    close() {
      while (levels.length > 1) closeLast();
    },
  };
}

/** A folder that a walk is in. */
export interface WalkedFolder<Entry> {
  /** What is still to be visited in it, the next one last. */
  readonly pending: Entry[];
}

/**
 * Visits what lies in `top` and below it. No recursion: a container can nest folders deeper than a thread's stack
 * allows. `visit` returns the folder that it has entered, where it has; `leave` is called for each once nothing in it
 * is left, for `top` last.
 */
export function walkFolders<Entry, Folder extends WalkedFolder<Entry>>(
  top: Folder & WalkedFolder<Entry>,
  visit: (entry: Entry, folder: Folder) => Folder | undefined,
  leave: (folder: Folder) => void,
): void {
  const folders: Folder[] = [top];
  for (let folder = folders.at(-1); folder !== undefined; folder = folders.at(-1)) {
    const entry = folder.pending.pop();
    if (entry === undefined) {
      folders.pop();
      leave(folder);
      continue;
    }
    const below = visit(entry, folder);
    if (below !== undefined) folders.push(below);
  }
}

function openParent(folder: number): number {
  return openat(folder, "..", O_RDONLY | O_DIRECTORY);
}
