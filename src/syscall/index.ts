/** Linux system calls that Node lacks, relative to descriptors, synchronous; for worker threads above all. */
export * from "./attributes.ts";
export * from "./copy.ts";
export * from "./directory.ts";
export * from "./entries.ts";
export * from "./flags.ts";
export { errnos, lastErrno, type PathBytes } from "./libc.ts";
export * from "./mount.ts";
export * from "./mountinfo.ts";
export { type SystemCallName, systemCallNumbers } from "./numbers.ts";
export * from "./open.ts";
export { type Project, readProject, setProject } from "./project.ts";
export * from "./project-quota.ts";
export * from "./quota-group.ts";
export * from "./stat.ts";
export * from "./subvolume.ts";
export * from "./sync.ts";
export * from "./thread.ts";
export * from "./xattr.ts";
