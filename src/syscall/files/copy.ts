import { SystemError } from "../../errors/index.ts";
import { throwIfCancelled } from "../cancellation.ts";
import { SEEK_DATA, SEEK_HOLE } from "../flags.ts";
import { ioctlRequest } from "../ioctl.ts";
import { bindSystemCall, check, errnos, lastErrno } from "../libc.ts";

/** The one request whose argument is a number: a descriptor. */
const cloneCall = bindSystemCall("ioctl", "int", "long", "long");
const lseekCall = bindSystemCall("lseek", "int", "long", "int");
const copyFileRangeCall = bindSystemCall("copy_file_range", "int", "void *", "int", "void *", "long", "uint");

/** Source: ioctl_ficlone(2). */
const FICLONE = ioctlRequest("write", 0x94, 9, 4);

/**
 * Makes `to` share the blocks of `from` (a reflink).
 * @returns false where the file system cannot: the caller copies then.
 */
export function cloneFile(from: number, to: number): boolean {
  if (cloneCall(to, FICLONE, from) === 0) return true;
  const errno = lastErrno();
  const cannot: readonly number[] = [errnos.EOPNOTSUPP, errnos.EXDEV, errnos.EINVAL, errnos.ENOTTY];
  if (cannot.includes(errno)) return false;
  throw new SystemError(errno, "ioctl FICLONE");
}

export function lseek(descriptor: number, offset: number, whence: number): number {
  return check(lseekCall(descriptor, offset, whence), "lseek");
}

/** Where the next data at or after `offset` begins; infinity where only a hole follows. */
export function nextData(descriptor: number, offset: number): number {
  const at = lseekCall(descriptor, offset, SEEK_DATA);
  if (at >= 0) return at;
  if (lastErrno() === errnos.ENXIO) return Number.POSITIVE_INFINITY;
  return check(at, "lseek");
}

/** Where the data at `offset` ends; at the latest the end of the file. */
export function nextHole(descriptor: number, offset: number): number {
  return lseek(descriptor, offset, SEEK_HOLE);
}

/** Copies up to `sizeBytes` within the kernel from where both files stand; 0 at the end of `from`. */
export function copyFileRange(from: number, to: number, sizeBytes: number): number {
  throwIfCancelled();
  return check(copyFileRangeCall(from, null, to, null, sizeBytes, 0), "copy_file_range");
}
