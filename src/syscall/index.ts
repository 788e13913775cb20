/** Linux system calls that Node lacks, relative to descriptors, synchronous; for worker threads above all. */
export * from "./beside-state.ts";
export { beginCommit, ignoreCancellation, throwIfCancelled, watchForCancellation } from "./cancellation.ts";
export { bootId } from "./boot-id.ts";
export { nowNs } from "./clock.ts";
export * from "./files/attributes.ts";
export * from "./files/copy.ts";
export { writeInPlace } from "./files/copy-on-write.ts";
export * from "./files/directory.ts";
export * from "./files/entries.ts";
export { keepToFolder } from "./files/kept-folder.ts";
export { fileSystemName, fileSystemNames } from "./mounts/file-system.ts";
export * from "./flags.ts";
export { cloneMount, makeSlave, mapIds, setMountAttributes } from "./mounts/id-mapped-mount.ts";
export { errnos, lastErrno, type PathBytes } from "./libc.ts";
export { withMapping } from "./mapping.ts";
export * from "./mounts/mount.ts";
export * from "./mounts/mountinfo.ts";
export { mountNumberOf } from "./mounts/mount-number.ts";
export { type SystemCallName, systemCallNumbers } from "./numbers.ts";
export {
  abandonWrite,
  endOffer,
  makeOfferedWrite,
  type OfferedWrite,
  offerWrite,
  withdrawWrite,
} from "./offered-write.ts";
export * from "./open.ts";
export { peerProcess } from "./peer.ts";
export * from "./process.ts";
export { type Project, readProject, setProject } from "./quotas/project.ts";
export * from "./quotas/project-quota.ts";
export * from "./mounts/private-mounts.ts";
export * from "./btrfs/quota-group.ts";
export { duplicate, readNow, sendNow, waitUntilReadable, waitUntilWritable, writeNow } from "./files/ready.ts";
export { pipeFill, resizePipe } from "./files/pipe.ts";
export * from "./stat.ts";
export * from "./btrfs/subvolume.ts";
export * from "./files/sync.ts";
export * from "./thread.ts";
export { isInUserNamespace } from "./mounts/user-namespace.ts";
export { dropWriteProtection } from "./files/write-protection.ts";
export * from "./files/xattr.ts";
