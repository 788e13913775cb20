import { ioctlRequest } from "../ioctl.ts";

/** `BTRFS_IOCTL_MAGIC`. */
const btrfs = 0x94;

/**
 * The requests of btrfs that Cleat makes, with the sizes of their structs; the same on x86-64 and arm64.
 * Source: `linux/btrfs.h` v6.1, which a test re-reads.
 */
export const btrfsRequests = {
  SUBVOL_CREATE: ioctlRequest("write", btrfs, 14, 4096),
  SNAP_DESTROY: ioctlRequest("write", btrfs, 15, 4096),
  TREE_SEARCH: ioctlRequest("both", btrfs, 17, 4096),
  SNAP_CREATE_V2: ioctlRequest("write", btrfs, 23, 4096),
  SUBVOL_GETFLAGS: ioctlRequest("read", btrfs, 25, 8),
  SUBVOL_SETFLAGS: ioctlRequest("write", btrfs, 26, 8),
  QUOTA_CTL: ioctlRequest("both", btrfs, 40, 16),
  QGROUP_CREATE: ioctlRequest("write", btrfs, 42, 16),
  QGROUP_LIMIT: ioctlRequest("read", btrfs, 43, 48),
  QUOTA_RESCAN: ioctlRequest("write", btrfs, 44, 64),
  QUOTA_RESCAN_WAIT: ioctlRequest("none", btrfs, 46, 0),
  GET_SUBVOL_INFO: ioctlRequest("read", btrfs, 60, 504),
  GET_SUBVOL_ROOTREF: ioctlRequest("both", btrfs, 61, 4096),
} as const;
