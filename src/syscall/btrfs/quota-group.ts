/**
 * Quota groups of btrfs. Where quotas are on, each subvolume has a group of its own that counts what the subvolume
 * refers to, whatever it shares with others. Descriptors are of any file in the subvolume; everything here needs root.
 */
import { SystemError } from "../../errors/index.ts";
import { btrfsRequests } from "./btrfs-requests.ts";
import { ioctl, tryIoctl } from "../ioctl.ts";
import { errnos, lastErrno } from "../libc.ts";

/** `inconsistent`: the kernel has stopped counting until the next scan. */
export type QuotaState = "off" | "on" | "inconsistent";

/** `struct btrfs_qgroup_status_item`: version, generation, flags. Source: `linux/btrfs_tree.h` v6.1. */
const STATUS_KEY = 240;
const statusFlagsAt = 16;
const FLAG_ON = 1n;
const FLAG_INCONSISTENT = 4n;

export function quotaState(descriptor: number): QuotaState {
  const item = searchQuotaTree(descriptor, STATUS_KEY, 0n);
  const flags = item?.readBigUInt64LE(statusFlagsAt) ?? 0n;
  if ((flags & FLAG_ON) === 0n) return "off";
  return (flags & FLAG_INCONSISTENT) === 0n ? "on" : "inconsistent";
}

/** `BTRFS_QUOTA_CTL_ENABLE`. */
const controlArguments = Buffer.alloc(16);
controlArguments.writeBigUInt64LE(1n);

/** Turns quotas on for the whole file system, which begins a scan; on already is success. */
export function enableQuotas(descriptor: number): void {
  ioctl(descriptor, btrfsRequests.QUOTA_CTL, controlArguments, "BTRFS_IOC_QUOTA_CTL");
}

/** Begins a scan; one that is under way is as good. */
export function rescanQuotas(descriptor: number): void {
  if (tryIoctl(descriptor, btrfsRequests.QUOTA_RESCAN, Buffer.alloc(64)) === 0) return;
  if (lastErrno() !== errnos.EINPROGRESS) throw new SystemError(lastErrno(), "ioctl BTRFS_IOC_QUOTA_RESCAN");
}

/** Blocks until no scan is under way: as long as reading the metadata of the whole file system takes. */
export function waitForQuotaScan(descriptor: number): void {
  ioctl(descriptor, btrfsRequests.QUOTA_RESCAN_WAIT, null, "BTRFS_IOC_QUOTA_RESCAN_WAIT");
}

/** `struct btrfs_ioctl_qgroup_limit_args`; a group id of 0 means that of the subvolume. */
const limitArguments = Buffer.alloc(48);
const LIMIT_MAX_REFERENCED = 1n;

/**
 * Limits what the subvolume that holds an open file may refer to; writes beyond fail with EDQUOT.
 * @throws SystemError ENOTCONN where quotas are off.
 */
export function limitReferenced(descriptor: number, sizeBytes: number): void {
  limitArguments.writeBigUInt64LE(LIMIT_MAX_REFERENCED, 8);
  limitArguments.writeBigUInt64LE(BigInt(sizeBytes), 16);
  ioctl(descriptor, btrfsRequests.QGROUP_LIMIT, limitArguments, "BTRFS_IOC_QGROUP_LIMIT");
}

/** `struct btrfs_qgroup_info_item`: generation, referenced, …. Source: `linux/btrfs_tree.h` v6.1. */
const INFO_KEY = 242;
const referencedAt = 8;

/** Bytes that a subvolume referred to at the last commit; `undefined` where nobody counts. */
export function referencedBytes(descriptor: number, subvolumeId: bigint): number | undefined {
  const item = searchQuotaTree(descriptor, INFO_KEY, subvolumeId);
  return item && Number(item.readBigUInt64LE(referencedAt));
}

const createArguments = Buffer.alloc(16);

/**
 * Forgets the group of a subvolume that was deleted, which older kernels keep for good. Where quotas are off, the group
 * is gone, or the kernel is not yet done with the subvolume (and will forget the group itself), nothing happens.
 */
export function dropQuotaGroup(descriptor: number, subvolumeId: bigint): void {
  createArguments.writeBigUInt64LE(subvolumeId, 8);
  if (tryIoctl(descriptor, btrfsRequests.QGROUP_CREATE, createArguments) === 0) return;
  const errno = lastErrno();
  const harmless: readonly number[] = [errnos.ENOTCONN, errnos.ENOENT, errnos.EBUSY, errnos.ENOSPC, errnos.EDQUOT];
  if (!harmless.includes(errno)) throw new SystemError(errno, "ioctl BTRFS_IOC_QGROUP_CREATE");
}

/**
 * `struct btrfs_ioctl_search_args`: the key, 104 bytes, then headers of 32 bytes with an item behind each.
 * `linux/btrfs.h` v6.1.
 */
const search = Buffer.alloc(4096);
const maxTransactionAt = 48;
const minTypeAt = 56;
const maxTypeAt = 60;
const countAt = 64;
const itemAt = 104 + 32;
const QUOTA_TREE_ID = 8n;

/** The item of a type that stands at `offset` in the tree of quotas. */
function searchQuotaTree(descriptor: number, type: number, offset: bigint): Buffer | undefined {
  search.fill(0);
  const [treeAt, minOffsetAt, maxOffsetAt] = [0, 24, 32];
  search.writeBigUInt64LE(QUOTA_TREE_ID, treeAt);
  search.writeBigUInt64LE(offset, minOffsetAt);
  search.writeBigUInt64LE(offset, maxOffsetAt);
  search.writeBigUInt64LE(2n ** 64n - 1n, maxTransactionAt);
  search.writeUInt32LE(type, minTypeAt);
  search.writeUInt32LE(type, maxTypeAt);
  search.writeUInt32LE(1, countAt);
  if (tryIoctl(descriptor, btrfsRequests.TREE_SEARCH, search) === 0) {
    return search.readUInt32LE(countAt) === 0 ? undefined : search.subarray(itemAt);
  }
  // Without quotas there is no such tree.
  if (lastErrno() === errnos.ENOENT) return undefined;
  throw new SystemError(lastErrno(), "ioctl BTRFS_IOC_TREE_SEARCH");
}
