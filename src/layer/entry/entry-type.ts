import { type FileStatus, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from "../../syscall/index.ts";
import type { TarEntryType } from "../../tar/index.ts";

const entryTypes: Readonly<Record<number, TarEntryType>> = {
  [S_IFREG]: "file",
  [S_IFDIR]: "directory",
  [S_IFLNK]: "symlink",
  [S_IFCHR]: "character-device",
  [S_IFBLK]: "block-device",
  [S_IFIFO]: "fifo",
};

/** What the kernel calls `mode`, as an archive's entry type; undefined for a socket, which an archive cannot hold. */
export function entryTypeOf(mode: number): TarEntryType | undefined {
  return entryTypes[mode & S_IFMT];
}

/** Whether overlay keeps a deletion under this name. */
export function isOverlayWhiteout(status: FileStatus): boolean {
  return (status.mode & S_IFMT) === S_IFCHR && status.deviceMajor === 0 && status.deviceMinor === 0;
}
