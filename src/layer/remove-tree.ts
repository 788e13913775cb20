import { randomBytes } from "node:crypto";
import { SystemError } from "../errors/index.ts";
import {
  chmodNode,
  errnos,
  isDirectory,
  lastErrno,
  readSomeNames,
  renameat2,
  rmdirat,
  statat,
  tryUnlinkat,
} from "../syscall/index.ts";
import { withFolder } from "./with-folder.ts";

/**
 * Removes `name` in an open folder with everything below it; nothing there is success. Symlinks are removed, never
 * followed: each level is opened with `O_NOFOLLOW` relative to the one above.
 */
export function removeTree(parent: number, name: Buffer | string): void {
  if (tryUnlink(parent, name)) return;
  withRemovable(parent, name, (top) => emptyFolder(top, 1, top));
  rmdirat(parent, name);
}

/**
 * Removes what lies in a folder, a few thousand names at a time, for a container may have made millions: each time from a
 * fresh look, because a folder that changes while it is read may leave names out.
 */
function emptyFolder(folder: number, depth: number, top: number): void {
  for (let names = firstNames(folder); names.length > 0; names = firstNames(folder)) {
    for (const name of names) removeBelow(folder, name, depth, top);
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

function removeBelow(folder: number, name: Buffer, depth: number, top: number): void {
  if (tryUnlink(folder, name)) return;
  if (depth === maxDepth) {
    renameat2(folder, name, top, randomBytes(16).toString("hex"));
    return;
  }
  withRemovable(folder, name, (child) => emptyFolder(child, depth + 1, top));
  rmdirat(folder, name);
}

/** Opens a folder that is about to go. An ordinary user first needs permission to empty it, as its owner gives it. */
function withRemovable(parent: number, name: Buffer | string, visit: (folder: number) => void): void {
  if (process.geteuid?.() !== 0) chmodNode(parent, name, 0o700);
  withFolder(parent, name, visit);
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
