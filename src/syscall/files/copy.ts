import { SystemError } from "../../errors/index.ts";
import { throwIfCancelled } from "../cancellation.ts";
import { SEEK_DATA, SEEK_HOLE } from "../flags.ts";
import { ioctlRequest, tryIoctl } from "../ioctl.ts";
import { bindSystemCall, check, errnos, lastErrno } from "../libc.ts";

/** The one request whose argument is a number: a descriptor. */
const cloneCall = bindSystemCall("ioctl", "int", "long", "long");
const lseekCall = bindSystemCall("lseek", "int", "long", "int");
const copyFileRangeCall = bindSystemCall("copy_file_range", "int", "void *", "int", "void *", "long", "uint");

/** Source: ioctl_ficlone(2). */
const FICLONE = ioctlRequest("write", 0x94, 9, 4);

/** How file systems say that they do not share blocks, or not those. */
const cannotShare: readonly number[] = [errnos.EOPNOTSUPP, errnos.EXDEV, errnos.EINVAL, errnos.ENOTTY];

/**
 * What may be said of one file while others can be shared: one without checksums, in use as swap, or that nobody may
 * change; or there is no room for what sharing writes down, and it stays as it is.
 */
const cannotShareFile: readonly number[] = [errnos.EINVAL, errnos.EPERM, errnos.ETXTBSY, errnos.ENOSPC, errnos.EDQUOT];

/**
 * Makes `to` share the blocks of `from` (a reflink).
 * @returns false where the file system cannot: the caller copies then.
 */
export function cloneFile(from: number, to: number): boolean {
  if (cloneCall(to, FICLONE, from) === 0) return true;
  const errno = lastErrno();
  if (cannotShare.includes(errno)) return false;
  throw new SystemError(errno, "ioctl FICLONE");
}

/** `struct file_dedupe_range` with one `struct file_dedupe_range_info`. Offsets: `linux/fs.h` v6.1. */
const dedupe = { sizeBytes: 56, from: 0, length: 8, count: 16, to: 24, toFrom: 32, done: 40, status: 48 } as const;

/** Source: ioctl_fideduperange(2); the request's size is that of the part before the list. */
const FIDEDUPERANGE = ioctlRequest("both", 0x94, 54, 24);

/**
 * Makes `to` share the blocks of `from`, both from `offset` on, where the kernel finds the same bytes in both: neither
 * changes in content or times. `to` may be open for reading only, by who may write to it. Costs reading both.
 * @returns how many bytes are shared now, fewer than asked for where the kernel had enough; 0 where they differ, or one
 * of them is none to share; undefined where the file system cannot, or the two are not on the same.
 */
export function dedupeRange(from: number, to: number, offset: number, lengthBytes: number): number | undefined {
  throwIfCancelled();
  const argument = Buffer.alloc(dedupe.sizeBytes);
  argument.writeBigUInt64LE(BigInt(offset), dedupe.from);
  argument.writeBigUInt64LE(BigInt(lengthBytes), dedupe.length);
  argument.writeUInt16LE(1, dedupe.count);
  argument.writeBigInt64LE(BigInt(to), dedupe.to);
  argument.writeBigUInt64LE(BigInt(offset), dedupe.toFrom);
  const errno = tryIoctl(from, FIDEDUPERANGE, argument) < 0 ? lastErrno() : -argument.readInt32LE(dedupe.status);
  if (errno === 0) return Number(argument.readBigUInt64LE(dedupe.done));
  if (errno < 0 || cannotShareFile.includes(errno)) return 0; // or FILE_DEDUPE_RANGE_DIFFERS
  if (cannotShare.includes(errno)) return undefined;
  throw new SystemError(errno, "ioctl FIDEDUPERANGE");
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
