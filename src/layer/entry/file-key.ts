import type { FileStatus } from "../../syscall/index.ts";

/**
 * Tells whether two names are of one file. The inode alone does not: a container on btrfs can make subvolumes, and each
 * numbers its files from the same number on.
 */
export function fileKey({ fileSystem, inode }: FileStatus): string {
  return `${fileSystem}:${inode}`;
}
