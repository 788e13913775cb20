import { AT_EMPTY_PATH, AT_RECURSIVE, MS_SLAVE, O_CLOEXEC } from "../flags.ts";
import { bindSystemCall, check, emptyPath } from "../libc.ts";

const openTreeCall = bindSystemCall("open_tree", "int", "void *", "uint");
const mountSetattrCall = bindSystemCall("mount_setattr", "int", "void *", "uint", "void *", "long");

/** Source: `OPEN_TREE_CLONE`, `MOUNT_ATTR_IDMAP`, `linux/mount.h` v6.1. */
const OPEN_TREE_CLONE = 1;
const MOUNT_ATTR_IDMAP = 0x100000n;

/**
 * A mount of its own of an open folder, that lies nowhere yet, with what is mounted below where `recursive`; the
 * descriptor is the caller's to close. Linux 5.2.
 */
export function cloneMount(folder: number, recursive = false): number {
  const flags = OPEN_TREE_CLONE | AT_EMPTY_PATH | O_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
  return check(openTreeCall(folder, emptyPath, flags), "open_tree");
}

/** `struct mount_attr`: what to set, to clear, propagation, user namespace. Source: mount_setattr(2). */
const attributes = new BigUint64Array(4);
const attributeBytes = new Uint8Array(attributes.buffer);

/**
 * Shows the owners of a mount that lies nowhere yet as the ids that a user namespace (a descriptor) maps them to. Linux
 * 5.12.
 * @throws SystemError EINVAL where the file system cannot.
 */
export function mapIds(mountDescriptor: number, userNamespace: number): void {
  attributes.set([MOUNT_ATTR_IDMAP, 0n, 0n, BigInt(userNamespace)]);
  const result = mountSetattrCall(mountDescriptor, emptyPath, AT_EMPTY_PATH, attributeBytes, attributeBytes.length);
  check(result, "mount_setattr");
}

/**
 * Sets and clears attributes (`MOUNT_ATTR_…`) of a mount, before anybody sees it where it lies nowhere yet. Linux 5.12.
 */
export function setMountAttributes(mountDescriptor: number, set: number, clear: number, recursive = false): void {
  attributes.set([BigInt(set), BigInt(clear), 0n, 0n]);
  const flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  const result = mountSetattrCall(mountDescriptor, emptyPath, flags, attributeBytes, attributeBytes.length);
  check(result, "mount_setattr");
}

/**
 * Lets a tree of mounts that lies nowhere yet see what is mounted and unmounted in the one that it is a copy of, and
 * not the other way round (`MS_SLAVE`, mount_namespaces(7)). Linux 5.12.
 */
export function makeSlave(mountDescriptor: number): void {
  attributes.set([0n, 0n, BigInt(MS_SLAVE), 0n]);
  const flags = AT_EMPTY_PATH | AT_RECURSIVE;
  const result = mountSetattrCall(mountDescriptor, emptyPath, flags, attributeBytes, attributeBytes.length);
  check(result, "mount_setattr");
}
