import { ftruncateSync, readSync, writeSync } from "node:fs";
import { CleatError } from "../../errors/index.ts";
import {
  chmodNode,
  chownat,
  cloneFile,
  close,
  copyFileRange,
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
  readEntries,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  SEEK_SET,
  statIfThere,
  symlinkat,
  throwIfCancelled,
  utimensat,
} from "../../syscall/index.ts";
import { joinPath, showBytes } from "../entry/entry-name.ts";
import { createFolderTrail, type FolderTrail } from "./folder-trail.ts";
import { openRegularFile } from "./open-regular.ts";
import { creationMode, type OwnerAndMode, setOwnerAndMode } from "./owner-and-mode.ts";
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

interface Copy {
  readonly root: number;
  /** Files with several names: the path below `root` that they were copied to first. */
  readonly linked: Map<string, Buffer>;
  /** Whether the file system is still believed to share blocks. */
  clones: boolean;
}

function copyFolder(sources: FolderTrail, targets: FolderTrail, path: string, copy: Copy): void {
  for (const { name, text, isRegular } of readEntries(sources.current())) {
    const from = sources.current();
    const to = targets.current();
    const childPath = joinPath(path, text);
    // What the folder says spares the look at it before it is opened.
    if (isRegular && copyListedFile(from, to, name, childPath, copy)) continue;
    const status = statIfThere(from, name);
    if (status === undefined) continue;
    if (isDirectory(status)) {
      mkdirat(to, name, creationMode(ownerAndMode(status), true));
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

function copyNode(from: number, to: number, name: Buffer, status: FileStatus, copy: Copy): void {
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

/** False where it is no regular file now, and nothing was copied. */
function copyListedFile(from: number, to: number, name: Buffer, path: string, copy: Copy): boolean {
  const file = openRegularFile(from, name);
  if (file === undefined) return false;
  const { descriptor: source, status } = file;
  try {
    if (!linkToCopy(to, name, path, status, copy)) copyOpened(source, to, name, status, copy);
  } finally {
    close(source);
  }
  return true;
}

function copyFile(from: number, to: number, name: Buffer, status: FileStatus, copy: Copy): void {
  const source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    copyOpened(source, to, name, status, copy);
  } finally {
    close(source);
  }
}

function copyOpened(source: number, to: number, name: Buffer, status: FileStatus, copy: Copy): void {
  const mode = creationMode(ownerAndMode(status), false);
  const target = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    if (copy.clones && status.sizeBytes > 0) copy.clones = cloneFile(source, target);
    if (!copy.clones) copyContent(source, target, name, status);
    copyOpenAttributes(source, target, status);
  } finally {
    close(target);
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
  if (allocatedBytes >= sizeBytes) {
    if (sizeBytes <= buffer.length) return copyThrough(buffer, source, target, name, sizeBytes);
    return copyRange(source, target, name, 0, sizeBytes);
  }
  ftruncateSync(target, sizeBytes);
  for (let at = nextData(source, 0); at < sizeBytes; at = nextData(source, at)) {
    const end = nextHole(source, at);
    lseek(source, at, SEEK_SET);
    lseek(target, at, SEEK_SET);
    copyRange(source, target, name, at, end);
    at = end;
  }
}

/** The kernel's own way to copy costs more than reading and writing, but for large files. */
const buffer = Buffer.alloc(64 * 1024);

function copyThrough(buffer: Buffer, source: number, target: number, name: Buffer, sizeBytes: number): void {
  throwIfCancelled();
  for (let at = 0; at < sizeBytes;) {
    const count = readSync(source, buffer, 0, sizeBytes - at, null);
    if (count === 0) throw toShorterError(name);
    for (let written = 0; written < count;) written += writeSync(target, buffer, written, count - written);
    at += count;
  }
}

function toShorterError(name: Buffer): CleatError {
  return new CleatError("ABORTED", `file ${showBytes(name.toString("latin1"))} became shorter while it was copied`);
}

/** From where both descriptors stand. */
function copyRange(source: number, target: number, name: Buffer, from: number, to: number): void {
  for (let at = from; at < to;) {
    const count = copyFileRange(source, target, Math.min(to - at, maxRangeBytes));
    if (count === 0) throw toShorterError(name);
    at += count;
  }
}

function copyOpenAttributes(from: number, to: number, status: FileStatus): void {
  // A look costs less than what would be written without a need; what the folder around it has given is seen, too.
  setOwnerAndMode(to, ownerAndMode(status), ownerAndMode(fstat(to)));
  for (const attribute of flistxattr(from)) {
    const value = fgetxattr(from, attribute);
    if (value !== undefined) fsetxattr(to, attribute, value);
  }
  futimens(to, status.mtimeSeconds, status.mtimeNanoseconds);
}

function ownerAndMode({ uid, gid, mode }: FileStatus): OwnerAndMode {
  return { uid, gid, mode: mode & 0o7777 };
}
