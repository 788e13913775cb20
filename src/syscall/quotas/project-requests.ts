import { ioctlRequest } from "../ioctl.ts";

/** `struct fsxattr`. Source: `linux/fs.h` v6.1, which a test re-reads, as it does the others here. */
export const fileAttributes = {
  sizeBytes: 28,
  flagsAt: 0,
  projectAt: 12,
  IMMUTABLE: 0x8,
  APPEND: 0x10,
  PROJINHERIT: 0x200,
} as const;

export const fileAttributeRequests = {
  FSGETXATTR: ioctlRequest("read", 0x58, 31, fileAttributes.sizeBytes),
  FSSETXATTR: ioctlRequest("write", 0x58, 32, fileAttributes.sizeBytes),
} as const;

/** Requests of quotactl(2) in the shape of xfs, which ext4 answers too. Source: `linux/dqblk_xfs.h` v6.1. */
export const quotaRequests = { XGETQUOTA: 0x5803, XSETQLIM: 0x5804, XGETQSTAT: 0x5805 } as const;

/** `struct fs_quota_stat`. Source: as above. */
export const quotaStatus = { sizeBytes: 80, flagsAt: 2, PDQ_ACCT: 0x10, PDQ_ENFD: 0x20 } as const;

/** `struct fs_disk_quota`. Source: as above. */
export const diskQuota = {
  sizeBytes: 112,
  versionAt: 0,
  VERSION: 1,
  flagsAt: 1,
  PROJ_QUOTA: 2,
  fieldsAt: 2,
  BSOFT: 0x4,
  BHARD: 0x8,
  idAt: 4,
  hardLimitAt: 8,
  softLimitAt: 16,
  blocksAt: 40,
  inodesAt: 48,
} as const;
