/**
 * Projects: numbers that files carry in their inodes, so that a file system can count them together. A folder can hand
 * its project on to what is made in it; nothing of another project can then be renamed or linked into it (EXDEV).
 */
import { SystemError } from "../../errors/index.ts";
import { ioctl, tryIoctl } from "../ioctl.ts";
import { errnos, lastErrno } from "../libc.ts";
import { fileAttributeRequests, fileAttributes } from "./project-requests.ts";

export interface Project {
  /** 0 is that of all files that nobody gave one. */
  readonly id: number;
  /** Of a folder: whether what is made in it gets the same project. */
  readonly inherits: boolean;
}

const attributes = Buffer.alloc(fileAttributes.sizeBytes);

/** The project of an open file; `undefined` where the file system knows none. */
export function readProject(descriptor: number): Project | undefined {
  if (tryIoctl(descriptor, fileAttributeRequests.FSGETXATTR, attributes) !== 0) {
    const errno = lastErrno();
    const unknown: readonly number[] = [errnos.ENOTTY, errnos.EOPNOTSUPP, errnos.ENOSYS];
    if (unknown.includes(errno)) return undefined;
    throw new SystemError(errno, "ioctl FS_IOC_FSGETXATTR");
  }
  return {
    id: attributes.readUInt32LE(fileAttributes.projectAt),
    inherits: (attributes.readUInt32LE(fileAttributes.flagsAt) & fileAttributes.PROJINHERIT) !== 0,
  };
}

/**
 * Gives an open file a project; what lies in a folder already keeps its own. Needs root of the machine.
 * @throws SystemError EOPNOTSUPP on an ext4 without the feature `project`.
 */
export function setProject(descriptor: number, { id, inherits }: Project): void {
  ioctl(descriptor, fileAttributeRequests.FSGETXATTR, attributes, "FS_IOC_FSGETXATTR");
  const others = attributes.readUInt32LE(fileAttributes.flagsAt) & ~fileAttributes.PROJINHERIT;
  attributes.writeUInt32LE((others | (inherits ? fileAttributes.PROJINHERIT : 0)) >>> 0, fileAttributes.flagsAt);
  attributes.writeUInt32LE(id, fileAttributes.projectAt);
  ioctl(descriptor, fileAttributeRequests.FSSETXATTR, attributes, "FS_IOC_FSSETXATTR");
}
