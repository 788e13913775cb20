import { AT_EMPTY_PATH, O_CLOEXEC } from "../flags.ts";
import { bindSystemCall, check, emptyPath } from "../libc.ts";

const openTreeCall = bindSystemCall("open_tree", "int", "void *", "uint");
const mountSetattrCall = bindSystemCall("mount_setattr", "int", "void *", "uint", "void *", "long");

/** Source: `linux/mount.h` v6.1. */
const OPEN_TREE_CLONE = 1;
const MOUNT_ATTR_IDMAP = 0x100000n;

/** Attributes of a mount. Times of access are a number of their own, `MOUNT_ATTR__ATIME`. Source: mount_setattr(2). */
export const mountAttributes = {
  readonly: 0x1n,
  nosuid: 0x2n,
  nodev: 0x4n,
  noexec: 0x8n,
  relatime: 0x0n,
  noatime: 0x10n,
  strictatime: 0x20n,
} as const;
const accessTimeMask = 0x70n;

/** A mount of its own of an open folder, that lies nowhere yet; the descriptor is the caller's to close. Linux 5.2. */
export function cloneMount(folder: number): number {
  return check(openTreeCall(folder, emptyPath, OPEN_TREE_CLONE | AT_EMPTY_PATH | O_CLOEXEC), "open_tree");
}

/** `struct mount_attr`: what to set, to clear, propagation, user namespace. Source: mount_setattr(2). */
function setAttributes(mountDescriptor: number, set: bigint, clear: bigint, userNamespace: number): void {
  const bytes = new Uint8Array(new BigUint64Array([set, clear, 0n, BigInt(userNamespace)]).buffer);
  check(mountSetattrCall(mountDescriptor, emptyPath, AT_EMPTY_PATH, bytes, bytes.length), "mount_setattr");
}

/**
 * Sets attributes of a mount that lies nowhere yet, on top of those it has: `mountAttributes`, together. Those of access
 * times take the place of what there was, where `accessTimes` is given. Linux 5.12.
 */
export function setMountAttributes(mountDescriptor: number, set: bigint, accessTimes?: bigint): void {
  const clear = accessTimes === undefined ? 0n : accessTimeMask;
  setAttributes(mountDescriptor, set | (accessTimes ?? 0n), clear, 0);
}

/**
 * Shows the owners of a mount that lies nowhere yet as the ids that a user namespace (a descriptor) maps them to. Linux
 * 5.12.
 * @throws SystemError EINVAL where the file system cannot.
 */
export function mapIds(mountDescriptor: number, userNamespace: number): void {
  setAttributes(mountDescriptor, MOUNT_ATTR_IDMAP, 0n, userNamespace);
}
