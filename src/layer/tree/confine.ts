/**
 * Opening a folder by a name that an archive chose. Whatever symlinks, `..` or absolute targets the name meets, the
 * result lies below the root: the kernel resolves it there (`openat2` with `RESOLVE_IN_ROOT`), or, before Linux 5.6, a
 * walk that opens one component at a time and never lets the kernel follow a link.
 */
import { SystemError, isSystemError } from "../../errors/index.ts";
import {
  close,
  errnos,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  openat,
  openat2,
  readlinkat,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  S_IFLNK,
  S_IFMT,
  statat,
} from "../../syscall/index.ts";

export type OpenConfined = (root: number, path: Buffer) => number;

let kernelResolves: boolean | undefined;

/** Opens the folder at `path` below `root` for reading; the descriptor is the caller's to close. "" is the root. */
export function openConfinedFolder(root: number, path: Buffer): number {
  if (path.length === 0) return openat(root, ".", O_RDONLY | O_DIRECTORY);
  kernelResolves ??= probeOpenat2(root);
  return kernelResolves ? openByKernel(root, path) : openByWalk(root, path);
}

function probeOpenat2(root: number): boolean {
  try {
    close(openat2(root, ".", O_PATH, RESOLVE_IN_ROOT));
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOSYS", "EPERM")) return false;
    throw error;
  }
}

/**
 * Where a symlink's `..` is met while anything at all is renamed or mounted on the machine, the kernel may be unable to
 * tell that it stays below the root, and asks to be called again. Source: openat2(2), EAGAIN.
 */
export const openByKernel: OpenConfined = (root, path) => {
  for (let tries = 1; ; tries++) {
    try {
      return openat2(root, path, O_RDONLY | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    } catch (error) {
      if (tries === maxTries || !isSystemError(error, "EAGAIN")) throw error;
    }
  }
};

/** A machine that is busy enough to need more of them is one on which the layer fails, and may be tried again. */
const maxTries = 1000;

/** The kernel's own limit on links in one path. Source: path_resolution(7). */
const maxLinks = 40;

/**
 * The same without `openat2`. `..` is taken from the folders already passed, never from the disk, where it may move.
 */
export const openByWalk: OpenConfined = (root, path) => {
  const pending = splitPath(path).toReversed();
  const passed: number[] = [];
  const here = (): number => passed[passed.length - 1] ?? root;
  let links = 0;
  try {
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name.equals(dotDot)) {
        const left = passed.pop();
        if (left !== undefined) close(left);
        continue;
      }
      if ((statat(here(), name).mode & S_IFMT) !== S_IFLNK) {
        passed.push(openat(here(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
        continue;
      }
      if (++links > maxLinks) throw new SystemError(errnos.ELOOP, "open", path);
      const target = readlinkat(here(), name);
      if (target[0] === slash) for (const folder of passed.splice(0)) close(folder);
      pending.push(...splitPath(target).toReversed());
    }
    return openat(here(), ".", O_RDONLY | O_DIRECTORY);
  } finally {
    for (const folder of passed) close(folder);
  }
};

const slash = 0x2f;
const dotDot = Buffer.from("..");

function splitPath(path: Buffer): Buffer[] {
  return path
    .toString("latin1")
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .map((part) => Buffer.from(part, "latin1"));
}
