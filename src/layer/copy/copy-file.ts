/** Copying one file, its content, owner, mode, times and attributes, between two open folders. */
import { ftruncateSync, readSync, writeSync } from "node:fs";
import { CleatError, isSystemError } from "../../errors/index.ts";
import {
  cloneFile,
  close,
  copyFileRange,
  fgetxattr,
  type FileStatus,
  flistxattr,
  fsetxattr,
  fstat,
  futimens,
  lseek,
  nextData,
  nextHole,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
  openat,
  SEEK_SET,
  throwIfCancelled,
} from "../../syscall/index.ts";
import { showBytes } from "../entry/entry-name.ts";
import { dropInherited } from "./inherited-access.ts";
import { creationMode, type OwnerAndMode, setOwnerAndMode } from "./owner-and-mode.ts";

/** What one copying thread has found out. */
export interface Cloning {
  /** Whether the file system is still believed to share blocks. */
  clones: boolean;
  /** Whether folders that files are copied into may have what they give already, a default access control list. */
  readonly intoFinished?: boolean;
}

/** Copies an open regular file into the folder `to`, which must not have the name. */
export function copyOpened(source: number, to: number, name: Buffer, status: FileStatus, copy: Cloning): void {
  const mode = creationMode(ownerAndMode(status), false);
  const target = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    if (copy.clones && status.sizeBytes > 0) copy.clones = cloneFile(source, target);
    if (!copy.clones) copyContent(source, target, name, status);
    if (copy.intoFinished) dropInherited(target);
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
    if (sizeBytes <= buffer.length) return copyByHand(source, target, name, sizeBytes);
    return copyRange(source, target, name, 0, sizeBytes);
  }
  ftruncateSync(target, sizeBytes);
  for (let at = nextData(source, 0); at < sizeBytes; at = nextData(source, at)) {
    const end = Math.min(nextHole(source, at), sizeBytes);
    lseek(source, at, SEEK_SET);
    lseek(target, at, SEEK_SET);
    copyRange(source, target, name, at, end);
    at = end;
  }
  // What lay behind its end would have been a hole.
  if (fstat(source).sizeBytes < sizeBytes) throw toShorterError(name);
}

/** The kernel's own way to copy costs more than reading and writing, but for large files. */
const buffer = Buffer.alloc(64 * 1024);

function copyByHand(source: number, target: number, name: Buffer, sizeBytes: number): void {
  for (let at = 0; at < sizeBytes;) {
    throwIfCancelled();
    const count = readSync(source, buffer, 0, Math.min(sizeBytes - at, buffer.length), null);
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
    let count: number;
    try {
      count = copyFileRange(source, target, Math.min(to - at, maxRangeBytes));
    } catch (error) {
      if (!isSystemError(error, ...cannotCopy)) throw error;
      return copyByHand(source, target, name, to - at);
    }
    if (count === 0) throw toShorterError(name);
    at += count;
  }
}

/** How kernels say that they do not copy between two file systems, or on one. Source: copy_file_range(2). */
const cannotCopy = ["EXDEV", "EINVAL", "EOPNOTSUPP", "ENOSYS"] as const;

export function copyOpenAttributes(from: number, to: number, status: FileStatus): void {
  // A look costs less than what would be written without a need; what the folder around it has given is seen, too.
  setOwnerAndMode(to, ownerAndMode(status), ownerAndMode(fstat(to)));
  for (const attribute of flistxattr(from)) {
    const value = fgetxattr(from, attribute);
    if (value !== undefined) fsetxattr(to, attribute, value);
  }
  futimens(to, status.mtimeSeconds, status.mtimeNanoseconds);
}

export function ownerAndMode({ uid, gid, mode }: FileStatus): OwnerAndMode {
  return { uid, gid, mode: mode & 0o7777 };
}
