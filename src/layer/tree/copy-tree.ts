import { ftruncateSync } from "node:fs";
import { CleatError } from "../../errors/index.ts";
import {
  chmodNode,
  chownat,
  cloneFile,
  close,
  copyFileRange,
  fchmod,
  fchown,
  fgetxattr,
  type FileStatus,
  flistxattr,
  fsetxattr,
  fstat,
  futimens,
  isDirectory,
  lgetxattr,
  linkat,
  llistxattr,
  lseek,
  lsetxattr,
  mkdirat,
  mknodat,
  nextData,
  nextHole,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  openat,
  procPath,
  readlinkat,
  readNames,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  SEEK_SET,
  statIfThere,
  symlinkat,
  utimensat,
} from "../../syscall/index.ts";
import { joinPath, showBytes } from "../entry/entry-name.ts";
import { createFolderTrail, type FolderTrail } from "./folder-trail.ts";
import { fileKey } from "../entry/file-key.ts";

/**
 * Copies all that lies below the open folder `from` into the empty open folder `to`, attributes of `from` itself
 * included: files of every kind, owners, modes, times to the nanosecond, extended attributes, hard links among the
 * files. Content is shared where the file system can (reflink), copied within the kernel else. Sockets are passed over:
 * they mean nothing without their process. Costs a walk; blocks; runs on a worker.
 */
export function copyTree(from: number, to: number): void {
  copyFolder(createFolderTrail(from), createFolderTrail(to), "", { root: to, linked: new Map(), clones: true });
  copyOpenAttributes(from, to, fstat(from));
}

/** Whether the file system is still believed to share blocks. */
interface Cloning {
  clones: boolean;
}

interface Copy extends Cloning {
  readonly root: number;
  /** Files with several names: the path below `root` that they were copied to first. */
  readonly linked: Map<string, Buffer>;
}

function copyFolder(sources: FolderTrail, targets: FolderTrail, path: string, copy: Copy): void {
  for (const name of readNames(sources.current())) {
    const from = sources.current();
    const to = targets.current();
    const status = statIfThere(from, name);
    if (status === undefined) continue;
    const childPath = joinPath(path, name);
    if (isDirectory(status)) {
      mkdirat(to, name, 0o700);
      sources.within(name, () => {
        targets.within(name, () => {
          copyFolder(sources, targets, childPath, copy);
          copyOpenAttributes(sources.current(), targets.current(), status);
        });
      });
    } else if (!linkToCopy(to, name, childPath, status, copy)) copyNode(from, to, name, status, copy);
  }
}

/** Whether the file had been copied under another name, of which `name` is now a link. */
function linkToCopy(to: number, name: Buffer, path: string, status: FileStatus, copy: Copy): boolean {
  if (status.links <= 1) return false;
  const key = fileKey(status);
  const earlier = copy.linked.get(key);
  if (earlier === undefined) copy.linked.set(key, Buffer.from(path, "latin1"));
  else linkat(copy.root, earlier, to, name);
  return earlier !== undefined;
}

/** Copies what is no folder; a socket is passed over. */
export function copyNode(from: number, to: number, name: Buffer, status: FileStatus, copy: Cloning): void {
  const type = status.mode & S_IFMT;
  if (type === S_IFSOCK) return;
  if (type === S_IFREG) return copyFile(from, to, name, status, copy);
  if (type === S_IFLNK) symlinkat(readlinkat(from, name), to, name);
  else mknodat(to, name, status.mode, status.deviceMajor, status.deviceMinor);
  chownat(to, name, status.uid, status.gid);
  // Made with it, but for the umask, and for what the new owner has cost it.
  if (type !== S_IFLNK) chmodNode(to, name, status.mode & 0o7777);
  const source = procPath(from, name);
  for (const attribute of llistxattr(source)) {
    const value = lgetxattr(source, attribute);
    if (value !== undefined) lsetxattr(procPath(to, name), attribute, value);
  }
  utimensat(to, name, status.mtimeSeconds, status.mtimeNanoseconds);
}

function copyFile(from: number, to: number, name: Buffer, status: FileStatus, copy: Cloning): void {
  const source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const target = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      if (copy.clones && status.sizeBytes > 0) copy.clones = cloneFile(source, target);
      if (!copy.clones) copyContent(source, target, name, status);
      copyOpenAttributes(source, target, status);
    } finally {
      close(target);
    }
  } finally {
    close(source);
  }
}

/** What one call is asked to copy, so little that who gives up need not wait for it; the kernel may do less. */
const maxRangeBytes = 2 ** 24;

/** Copies data and leaves holes holes, so that a sparse file of a terabyte does not fill the disk. */
function copyContent(
  source: number,
  target: number,
  name: Buffer,
  { sizeBytes, allocatedBytes }: Pick<FileStatus, "sizeBytes" | "allocatedBytes">,
): void {
  // Most files have no holes, and the search for them costs a small one more than its copy.
  if (allocatedBytes >= sizeBytes) return copyRange(source, target, name, 0, sizeBytes);
  ftruncateSync(target, sizeBytes);
  for (let at = nextData(source, 0); at < sizeBytes; at = nextData(source, at)) {
    const end = nextHole(source, at);
    lseek(source, at, SEEK_SET);
    lseek(target, at, SEEK_SET);
    copyRange(source, target, name, at, end);
    at = end;
  }
}

/** From where both descriptors stand. */
function copyRange(source: number, target: number, name: Buffer, from: number, to: number): void {
  for (let at = from; at < to;) {
    const count = copyFileRange(source, target, Math.min(to - at, maxRangeBytes));
    if (count === 0)
      throw new CleatError("ABORTED", `file ${showBytes(name.toString("latin1"))} became shorter while it was copied`);
    at += count;
  }
}

export function copyOpenAttributes(from: number, to: number, status: FileStatus): void {
  fchown(to, status.uid, status.gid);
  fchmod(to, status.mode & 0o7777);
  for (const attribute of flistxattr(from)) {
    const value = fgetxattr(from, attribute);
    if (value !== undefined) fsetxattr(to, attribute, value);
  }
  futimens(to, status.mtimeSeconds, status.mtimeNanoseconds);
}
