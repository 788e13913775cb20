/** Subvolumes of btrfs: folders that are trees of their own, made, copied and deleted whole, whatever they hold. */
import { SystemError } from "../../errors/index.ts";
import { btrfsRequests } from "./btrfs-requests.ts";
import { ioctl, tryIoctl } from "../ioctl.ts";
import { errnos, lastErrno, type PathBytes } from "../libc.ts";
import { type FileStatus, isDirectory } from "../stat.ts";

/** `struct btrfs_ioctl_vol_args` and its second version, both 4,096 bytes. Offsets: `linux/btrfs.h` v6.1. */
const volumeArguments = Buffer.alloc(4096);
const nameAt = 8;
const nameAtV2 = 56;

/** `BTRFS_VOL_NAME_MAX`: the kernel takes longer names for malformed. */
const maxNameBytes = 255;

function setVolume(descriptor: number, name: PathBytes, at: number): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length > maxNameBytes) throw new SystemError(errnos.ENAMETOOLONG, "ioctl", name);
  if (bytes.includes(0)) throw new SystemError(errnos.EINVAL, "ioctl", name);
  volumeArguments.fill(0);
  volumeArguments.writeBigInt64LE(BigInt(descriptor), 0);
  bytes.copy(volumeArguments, at);
  return volumeArguments;
}

/** Makes an empty subvolume in an open folder, with mode 0777 but for the thread's umask. */
export function createSubvolume(directory: number, name: PathBytes): void {
  ioctl(directory, btrfsRequests.SUBVOL_CREATE, setVolume(0, name, nameAt), "BTRFS_IOC_SUBVOL_CREATE", name);
}

/**
 * Makes a writable copy of the subvolume open as `source`, sharing everything. What lies in subvolumes nested in it is
 * not copied: an empty folder is there instead. Costs a commit of the file system, whatever the size.
 */
export function snapshotSubvolume(source: number, directory: number, name: PathBytes): void {
  const volume = setVolume(source, name, nameAtV2);
  ioctl(directory, btrfsRequests.SNAP_CREATE_V2, volume, "BTRFS_IOC_SNAP_CREATE_V2", name);
}

/**
 * Deletes a subvolume with all that it holds; the kernel gives the space back later.
 * @throws SystemError ENOTEMPTY while another subvolume lies in it, EINVAL for what is not a subvolume.
 */
export function destroySubvolume(directory: number, name: PathBytes): void {
  ioctl(directory, btrfsRequests.SNAP_DESTROY, setVolume(0, name, nameAt), "BTRFS_IOC_SNAP_DESTROY", name);
}

/** `BTRFS_FIRST_FREE_OBJECTID`, `linux/btrfs_tree.h` v6.1: the inode of the top of every subvolume. */
const topInode = 256n;

/** Whether a file on a btrfs is the top folder of a subvolume. */
export function isSubvolume(status: FileStatus): boolean {
  return status.inode === topInode && isDirectory(status);
}

/** `BTRFS_SUBVOL_RDONLY`. */
const readOnlyFlag = 2n;
const flags = Buffer.alloc(8);

export function isReadOnlySubvolume(subvolume: number): boolean {
  ioctl(subvolume, btrfsRequests.SUBVOL_GETFLAGS, flags, "BTRFS_IOC_SUBVOL_GETFLAGS");
  return (flags.readBigUInt64LE() & readOnlyFlag) !== 0n;
}

export function setSubvolumeReadOnly(subvolume: number, readOnly: boolean): void {
  flags.writeBigUInt64LE(readOnly ? readOnlyFlag : 0n);
  ioctl(subvolume, btrfsRequests.SUBVOL_SETFLAGS, flags, "BTRFS_IOC_SUBVOL_SETFLAGS");
}

export interface SubvolumeInfo {
  /** Never given twice on one file system. */
  readonly id: bigint;
  readonly uuid: string;
  /** Of the subvolume that this one was copied from; `undefined` for one that was made empty. */
  readonly sourceUuid: string | undefined;
  /** When it was made, in seconds since 1970. */
  readonly createdSeconds: number;
}

/** `struct btrfs_ioctl_get_subvol_info_args`. Offsets: `linux/btrfs.h` v6.1. */
const info = Buffer.alloc(504);

/** What the kernel has written down about the subvolume that holds an open file. Linux 4.18. */
export function subvolumeInfo(descriptor: number): SubvolumeInfo {
  ioctl(descriptor, btrfsRequests.GET_SUBVOL_INFO, info, "BTRFS_IOC_GET_SUBVOL_INFO");
  const source = info.toString("hex", 312, 328);
  return {
    id: info.readBigUInt64LE(0),
    uuid: info.toString("hex", 296, 312),
    sourceUuid: /^0*$/.test(source) ? undefined : source,
    createdSeconds: Number(info.readBigUInt64LE(392)),
  };
}

/** `struct btrfs_ioctl_get_subvol_rootref_args`: from which id on, 255 references, how many there are. */
const references = Buffer.alloc(4096);
const referenceCountAt = 4088;

/** Whether any subvolume lies in the one that holds an open file, however deep in its folders. Linux 4.18. */
export function hasNestedSubvolumes(descriptor: number): boolean {
  references.fill(0);
  if (tryIoctl(descriptor, btrfsRequests.GET_SUBVOL_ROOTREF, references) === 0) {
    return references.readUInt8(referenceCountAt) > 0;
  }
  // More than one call can tell.
  if (lastErrno() === errnos.EOVERFLOW) return true;
  throw new SystemError(lastErrno(), "ioctl BTRFS_IOC_GET_SUBVOL_ROOTREF");
}
