/**
 * Constants of the kernel's interface. `O_DIRECTORY` and `O_NOFOLLOW` differ between machines and are taken from Node.
 * Source: `fcntl.h`, `openat2.h`, `stat.h`, `mount.h`, `fs.h` of Linux v6.1.
 */
import { constants } from "node:fs";

export const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
/** With `O_DIRECTORY` in it, which differs between machines. */
export const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_EMPTY_PATH = 0x1000;
export const AT_RECURSIVE = 0x8000;

export const RESOLVE_NO_XDEV = 0x01;
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_IN_ROOT = 0x10;

export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;

export const { S_IFMT, S_IFSOCK, S_IFLNK, S_IFREG, S_IFBLK, S_IFDIR, S_IFCHR, S_IFIFO } = {
  ...constants,
  S_IFBLK: 0o060000,
  S_IFIFO: 0o010000,
};
export const S_ISGID = 0o2000;

export const MNT_DETACH = 2;
export const UMOUNT_NOFOLLOW = 8;
/** Source: `linux/mount.h` v6.1; relatime, the default, is none of the last three. */
export const MOUNT_ATTR_RDONLY = 1;
export const MOUNT_ATTR_NOSUID = 2;
export const MOUNT_ATTR_NODEV = 4;
export const MOUNT_ATTR_NOEXEC = 8;
export const MOUNT_ATTR_NOATIME = 0x10;
export const MOUNT_ATTR_STRICTATIME = 0x20;
export const MOUNT_ATTR_ATIME = 0x70;
export const MOUNT_ATTR_NODIRATIME = 0x80;
/** Source: `linux/mount.h` v6.1, with those below. */
export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_REMOUNT = 32;
export const MS_NOATIME = 1024;
export const MS_NODIRATIME = 2048;
export const MS_BIND = 4096;
export const MS_REC = 0x4000;
export const MS_PRIVATE = 0x40000;
export const MS_SLAVE = 0x80000;
export const CLONE_FS = 0x200;
export const CLONE_NEWNS = 0x20000;

export const SEEK_SET = 0;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;
