import { randomBytes } from "node:crypto";
import { isDiskFull, isSystemError, SystemError } from "../../errors/index.ts";
import {
  chmodNode,
  close,
  errnos,
  isDirectory,
  lastErrno,
  mountNumberOf,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat2,
  readSomeNames,
  renameat2,
  RESOLVE_NO_XDEV,
  rmdirat,
  statat,
  tryUnlinkat,
} from "../../syscall/index.ts";
import { openFolder, withFolder } from "./with-folder.ts";
import { despiteProtection } from "./write-protection.ts";

/**
 * Removes `name` in an open folder with everything below it; nothing there is success. Symlinks are removed, never
 * followed: each level is opened with `O_NOFOLLOW` relative to the one above. What is mounted below stays, and fails
 * the removal.
 */
export function removeTree(parent: number, name: Buffer | string): void {
  if (tryUnlink(parent, name)) return;
  withRemovable(parent, name, (top) => emptyFolder(top, 1, { top, despite: justRun }));
  rmdirat(parent, name);
}

/**
 * As `removeTree`, of a layer that is to go, whoever wants to keep it: what a container has marked immutable or
 * append-only (chattr(1)) goes, too, where this process may take such marks away.
 */
export function removeForGood(parent: number, name: Buffer | string): void {
  const isFile = despiteProtection(parent, name, [], () => tryUnlink(parent, name));
  if (isFile) return;
  withRemovable(parent, name, (top) => emptyFolder(top, 1, { top, despite: despiteProtection }));
  despiteProtection(parent, name, [], () => rmdirat(parent, name));
}

interface Removal {
  readonly top: number;
  /** How a step is made that moves or removes a name in a folder of the tree. */
  readonly despite: typeof despiteProtection;
}

const justRun: typeof despiteProtection = (_folder, _name, _folders, step) => step();

/**
 * Removes what lies in a folder, a few thousand names at a time, for a container may have made millions: each time from
 * a fresh look, because a folder that changes while it is read may leave names out.
 */
function emptyFolder(folder: number, depth: number, removal: Removal): void {
  for (let names = firstNames(folder); names.length > 0; names = firstNames(folder)) {
    for (const name of names) removeBelow(folder, name, depth, removal);
  }
}

function firstNames(folder: number): Buffer[] {
  return withFolder(folder, ".", (opened) => {
    const names: Buffer[] = [];
    while (names.length === 0 && readSomeNames(opened, names));
    return names;
  });
}

/**
 * Each level costs an open descriptor and some stack, and any container can nest folders deeper than there is of either
 * (`mkdir a; cd a` in a loop): a layer that nobody can remove. So what lies deeper than this is first moved up.
 */
const maxDepth = 32;

function removeBelow(folder: number, name: Buffer, depth: number, removal: Removal): void {
  const { top, despite } = removal;
  if (despite(folder, name, [folder], () => tryUnlink(folder, name))) return;
  if (depth >= maxDepth && despite(folder, name, [folder, top], () => moveUp(folder, name, top))) return;
  withRemovable(folder, name, (child) => emptyFolder(child, depth + 1, removal));
  despite(folder, name, [folder], () => rmdirat(folder, name));
}

/** False on a full disk, where it may be that nothing can be moved; then it takes the descriptors. */
function moveUp(folder: number, name: Buffer, top: number): boolean {
  try {
    renameat2(folder, name, top, randomBytes(16).toString("hex"));
    return true;
  } catch (error) {
    if (isDiskFull(error)) return false;
    throw error;
  }
}

/** Opens a folder that is about to go. An ordinary user first needs permission to empty it, as its owner gives it. */
function withRemovable(parent: number, name: Buffer | string, visit: (folder: number) => void): void {
  if (process.geteuid?.() !== 0) chmodNode(parent, name, 0o700);
  withUnmountedFolder(parent, name, visit);
}

/** Opens a folder as `openUnmounted` does for as long as `visit` runs. */
export function withUnmountedFolder<T>(parent: number, name: Buffer | string, visit: (folder: number) => T): T {
  const folder = openUnmounted(parent, name);
  try {
    return visit(folder);
  } finally {
    close(folder);
  }
}

/**
 * Opens a folder as `openFolder` does, of a tree that is to go: what is mounted somewhere in it is not of it, and is
 * somebody's.
 * @throws SystemError EBUSY, as for removing the folder itself, where something is mounted on it.
 */
export function openUnmounted(parent: number, name: Buffer | string): number {
  try {
    return openat2(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, RESOLVE_NO_XDEV);
  } catch (error) {
    if (isSystemError(error, "EXDEV")) throw new SystemError(errnos.EBUSY, "unlinkat", name);
    if (!isSystemError(error, "ENOSYS", "EPERM")) throw error;
    return openByLook(parent, name);
  }
}

/** The same before Linux 5.6, or where a filter forbids the other call. */
export function openByLook(parent: number, name: Buffer | string): number {
  const folder = openFolder(parent, name);
  try {
    if (mountNumberOf(folder) === mountNumberOf(parent)) return folder;
  } catch (error) {
    close(folder);
    throw error;
  }
  close(folder);
  throw new SystemError(errnos.EBUSY, "unlinkat", name);
}

/** Whether nothing has the name any more; false for a folder. */
function tryUnlink(parent: number, name: Buffer | string): boolean {
  if (tryUnlinkat(parent, name)) return true;
  const errno = lastErrno();
  if (errno === errnos.ENOENT) return true;
  if (errno === errnos.EISDIR) return false;
  // What POSIX would have for a folder, and some file systems do; an immutable file says it too.
  if (errno === errnos.EPERM && isDirectory(statat(parent, name))) return false;
  throw new SystemError(errno, "unlinkat", name);
}
