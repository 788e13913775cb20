import { statfsSync } from "node:fs";
import { isSystemError } from "../../../errors/index.ts";

/**
 * Whether an extended attribute that could not be set is one that this file, on this file system, cannot have: of a
 * namespace that it does not know (`com.apple.…`, `system.nfs4_acl`), `user.` on a symlink or device, one that is not
 * this process's to set, one larger than there is room for beside an inode. File capabilities are never that: a program
 * without them is another one.
 *
 * Docker passes over ENOTSUP and EPERM, containerd over ENOTSUP. Sources: moby v20.10.24 `pkg/archive/archive.go`
 * `createTarFile`; containerd v1.6.20 `archive/tar.go`; xattr(7), setxattr(2).
 */
export function cannotBeHeld(error: unknown, name: string, descriptor: number): boolean {
  if (name === "security.capability") return false;
  if (isSystemError(error, "ENOTSUP", "EOPNOTSUPP", "EPERM", "EACCES", "E2BIG", "ERANGE", "ENAMETOOLONG")) return true;
  // A value that is none is the archive's fault where the namespace is one of Linux.
  if (isSystemError(error, "EINVAL")) return !/^(?:user|trusted|security|system\.posix_acl_\w+$)/.test(name);
  return isSystemError(error, "ENOSPC") && hasRoom(descriptor);
}

/** More than any attribute takes, so that what it lacks is not disk. */
const roomBytes = 2 ** 20;

/** ext4 and btrfs say ENOSPC also of an attribute that is too large for the block it has to lie in. */
function hasRoom(descriptor: number): boolean {
  const { bavail, bsize, ffree } = statfsSync(`/proc/self/fd/${descriptor}`);
  return bavail * bsize >= roomBytes && ffree !== 0;
}
