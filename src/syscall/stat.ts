import { SystemError } from "../errors/index.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, S_IFDIR, S_IFMT, S_IFREG } from "./flags.ts";
import { bindSystemCall, check, cString, emptyPath, errnos, lastErrno, type PathBytes } from "./libc.ts";

const statxCall = bindSystemCall("statx", "int", "void *", "int", "uint", "void *");

/** What the kernel knows about a file, without following symlinks. */
export interface FileStatus {
  /** Type and permission bits, as `S_IF…` and below. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly inode: bigint;
  readonly sizeBytes: number;
  /** What it takes of the disk, as far as the file system tells; blocks that files share count for each. */
  readonly allocatedBytes: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** When the inode was last written to in any way, links and attributes included; no program can set it. */
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
  /** Of a device file, the device it stands for. */
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** The file system it lies on, major × 2³² + minor. */
  readonly fileSystem: number;
}

/** `struct statx` is 256 bytes. Offsets: statx(2), `linux/stat.h` v6.1. */
const buffer = Buffer.alloc(256);
const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
const STATX_BASIC_STATS = 0x7ff;

function parseStatus(): FileStatus {
  return {
    links: view.getUint32(16, true),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    mode: view.getUint16(28, true),
    inode: view.getBigUint64(32, true),
    sizeBytes: readSafeInteger(40),
    allocatedBytes: readSafeInteger(48) * 512,
    mtimeSeconds: view.getInt32(116, true) * 2 ** 32 + view.getUint32(112, true),
    mtimeNanoseconds: view.getUint32(120, true),
    ctimeSeconds: view.getInt32(100, true) * 2 ** 32 + view.getUint32(96, true),
    ctimeNanoseconds: view.getUint32(104, true),
    deviceMajor: view.getUint32(128, true),
    deviceMinor: view.getUint32(132, true),
    fileSystem: view.getUint32(136, true) * 2 ** 32 + view.getUint32(140, true),
  };
}

function readSafeInteger(offset: number): number {
  return view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
}

export function statat(directory: number, name: PathBytes): FileStatus {
  check(statxCall(directory, cString(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, buffer), "statx", name);
  return parseStatus();
}

/** As `statat`, `undefined` where nothing has that name. */
export function statIfThere(directory: number, name: PathBytes): FileStatus | undefined {
  if (statxCall(directory, cString(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, buffer) === 0) return parseStatus();
  const errno = lastErrno();
  if (errno === errnos.ENOENT || errno === errnos.ENOTDIR) return undefined;
  throw new SystemError(errno, "statx", name);
}

/**
 * Whether anything has an absolute path; a symlink at its end is something. Other than `existsSync` it does not take
 * for gone what it cannot look at, as on a disk that fails for a moment.
 * @throws SystemError then.
 */
export function isThere(path: PathBytes): boolean {
  return statIfThere(AT_FDCWD, path) !== undefined;
}

export function fstat(descriptor: number): FileStatus {
  check(statxCall(descriptor, emptyPath, AT_EMPTY_PATH, STATX_BASIC_STATS, buffer), "statx");
  return parseStatus();
}

/** Tells a file on a mount from all others that there are, were and will be there until the machine is booted anew. */
export interface MountedFile {
  /** Never given to another mount, as the number in `/proc/self/mountinfo` is. */
  readonly mount: bigint;
  readonly inode: bigint;
  /** When it was made; no program can set it, so that a copy has another. */
  readonly birthSeconds: bigint;
  readonly birthNanoseconds: number;
}

/**
 * Of an open file; `undefined` where the kernel tells no such mount (before Linux 6.8), or the file system no birth.
 */
export function readMountedFile(descriptor: number): MountedFile | undefined {
  const wanted = STATX_INO | STATX_BTIME | STATX_MNT_ID_UNIQUE;
  check(statxCall(descriptor, emptyPath, AT_EMPTY_PATH, wanted, buffer), "statx");
  if ((view.getUint32(0, true) & wanted) !== wanted) return undefined;
  return {
    mount: view.getBigUint64(144, true),
    inode: view.getBigUint64(32, true),
    birthSeconds: view.getBigInt64(80, true),
    birthNanoseconds: view.getUint32(88, true),
  };
}

/** Source: `linux/stat.h` v6.8. */
const STATX_INO = 0x100;
const STATX_BTIME = 0x800;
const STATX_MNT_ID_UNIQUE = 0x4000;

/**
 * Whether something is mounted right there; `undefined` where the kernel does not tell (before Linux 5.8), or nothing
 * can be told of the name but that it is there. Costs one call, however many mounts there are.
 */
export function isMountPoint(directory: number, name: PathBytes): boolean | undefined {
  if (statxCall(directory, cString(name), AT_SYMLINK_NOFOLLOW, 0, buffer) !== 0) {
    const errno = lastErrno();
    return errno === errnos.ENOENT || errno === errnos.ENOTDIR ? false : undefined;
  }
  if ((view.getUint32(attributesMaskAt, true) & STATX_ATTR_MOUNT_ROOT) === 0) return undefined;
  return (view.getUint32(attributesAt, true) & STATX_ATTR_MOUNT_ROOT) !== 0;
}

/** Source: `linux/stat.h` v5.8; offsets: `struct statx`, the lower halves of 64 bits. */
const STATX_ATTR_MOUNT_ROOT = 0x2000;
const attributesAt = 8;
const attributesMaskAt = 56;

export function isDirectory(status: FileStatus): boolean {
  return (status.mode & S_IFMT) === S_IFDIR;
}

export function isRegularFile(status: FileStatus): boolean {
  return (status.mode & S_IFMT) === S_IFREG;
}
