/**
 * What the files of a project take together, and the limit on that. A file system is named by an open file on it (Linux
 * 5.14) or by the path of its block device; everything but its status needs root of the machine.
 */
import { SystemError } from "../../errors/index.ts";
import { bindSystemCall, cString, errnos, lastErrno } from "../libc.ts";
import { diskQuota, quotaRequests, quotaStatus } from "./project-requests.ts";

const quotactlCall = bindSystemCall("quotactl", "uint", "void *", "uint", "void *");
const quotactlFdCall = bindSystemCall("quotactl_fd", "int", "uint", "uint", "void *");

/** A descriptor of any file on the file system, or the path of its block device. */
export type QuotaTarget = number | string;

/** `PRJQUOTA`. Source: `linux/quota.h` v6.1. */
const PROJECT = 2;
/** Refused before the kernel looks at anything else. */
const NO_TYPE = 0xff;

/** `QCMD`. Source: `linux/quota.h` v6.1. */
function quotactl(target: QuotaTarget, request: number, id: number, data: Uint8Array | null, type = PROJECT): number {
  const command = request * 2 ** 8 + type;
  return typeof target === "number"
    ? quotactlFdCall(target, command, id, data)
    : quotactlCall(command, cString(target), id, data);
}

/** Whether the kernel has the call that a target of this kind takes. */
export function hasQuotaCall(target: QuotaTarget): boolean {
  return quotactl(target, quotaRequests.XGETQSTAT, 0, null, NO_TYPE) === 0 || lastErrno() !== errnos.ENOSYS;
}

export interface ProjectQuotaState {
  readonly counts: boolean;
  readonly enforces: boolean;
}

const status = Buffer.alloc(quotaStatus.sizeBytes);

/** What a file system does about projects. Source of the errors: Linux v6.1 `fs/quota/quota.c`. */
export function projectQuotaState(target: QuotaTarget): ProjectQuotaState {
  status.fill(0);
  if (quotactl(target, quotaRequests.XGETQSTAT, 0, status) !== 0) {
    const errno = lastErrno();
    // ENOSYS: has no quotas, or none is switched on; EINVAL: has some, but not of projects.
    const none: readonly number[] = [errnos.ENOSYS, errnos.EINVAL, errnos.ENOTTY, errnos.ESRCH];
    if (!none.includes(errno)) throw new SystemError(errno, "quotactl Q_XGETQSTAT");
  }
  const flags = status.readUInt16LE(quotaStatus.flagsAt);
  return { counts: (flags & quotaStatus.PDQ_ACCT) !== 0, enforces: (flags & quotaStatus.PDQ_ENFD) !== 0 };
}

export interface ProjectUsage {
  /** 0 is no limit. A slack that was given on top is not in it. */
  readonly limitBytes: number;
  readonly usedBytes: number;
  readonly inodes: number;
}

const quota = Buffer.alloc(diskQuota.sizeBytes);

/** Limits and counts are of 512 bytes. Source: `BBSHIFT`, `linux/dqblk_xfs.h` v6.1. */
const blockBytes = 512;

/** What a project takes now; one that the file system has never met takes nothing. */
export function projectUsage(target: QuotaTarget, id: number): ProjectUsage {
  quota.fill(0);
  if (quotactl(target, quotaRequests.XGETQUOTA, id, quota) !== 0) {
    if (lastErrno() !== errnos.ENOENT) throw new SystemError(lastErrno(), "quotactl Q_XGETQUOTA");
    return { limitBytes: 0, usedBytes: 0, inodes: 0 };
  }
  const bytesAt = (offset: number) => Number(quota.readBigUInt64LE(offset)) * blockBytes;
  return {
    limitBytes: bytesAt(diskQuota.softLimitAt),
    usedBytes: bytesAt(diskQuota.blocksAt),
    inodes: Number(quota.readBigUInt64LE(diskQuota.inodesAt)),
  };
}

/**
 * Limits what the files of a project may take together, rounded up to what the kernel counts; 0 takes the limit away.
 * Writes beyond fail, on ext4 with EDQUOT, on xfs with ENOSPC. The limit proper is kept as the soft one, so that with
 * `slackBytes` on top of it the kernel still knows it.
 */
export function limitProject(target: QuotaTarget, id: number, sizeBytes: number, slackBytes = 0): void {
  quota.fill(0);
  quota.writeInt8(diskQuota.VERSION, diskQuota.versionAt);
  quota.writeInt8(diskQuota.PROJ_QUOTA, diskQuota.flagsAt);
  quota.writeUInt16LE(diskQuota.BSOFT | diskQuota.BHARD, diskQuota.fieldsAt);
  quota.writeUInt32LE(id, diskQuota.idAt);
  quota.writeBigUInt64LE(toBlocks(sizeBytes + slackBytes), diskQuota.hardLimitAt);
  quota.writeBigUInt64LE(toBlocks(sizeBytes), diskQuota.softLimitAt);
  if (quotactl(target, quotaRequests.XSETQLIM, id, quota) === 0) return;
  throw new SystemError(lastErrno(), "quotactl Q_XSETQLIM");
}

function toBlocks(sizeBytes: number): bigint {
  return BigInt(Math.ceil(sizeBytes / blockBytes));
}
