import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { posix } from "node:path";
import { isSystemError } from "../../../errors/index.ts";
import { fileSystemName, fstat } from "../../../syscall/index.ts";

/**
 * Whether the file system of an open folder brings names that come and go to the disk in the order in which they did,
 * all folders together: ext3, ext4 and xfs write them to one journal, and an fsync of one folder commits all that
 * happened before it. Then the last folder stands for those that were changed before. Of files it tells nothing:
 * content is not in the journal; but a file is as long as what of it was written, so that one of which nothing was is
 * empty. (ext4 mounted with `data=writeback` gives it what lay there before, and counts as one that keeps no order.)
 *
 * btrfs logs single folders; an ext file system may have no journal; of others nobody knows. Source: Linux v6.1
 * `Documentation/filesystems/ext4/journal.rst`, `fs/xfs/xfs_file.c` `xfs_dir_fsync`, `fs/btrfs/tree-log.c`
 * `btrfs_log_inode_parent`.
 */
export function keepsOrder(folder: number): boolean {
  const name = fileSystemName(folder);
  return name === "xfs" || (name === "extfs" && hasJournal(fstat(folder).fileSystem));
}

/** The kernel shows each journal as `/proc/fs/jbd2/<device>-<inode>`, a slash in the device's name as "!". */
function hasJournal(fileSystem: number): boolean {
  try {
    const [major, minor] = [Math.floor(fileSystem / 2 ** 32), fileSystem % 2 ** 32];
    const device = posix.basename(realpathSync(`/sys/dev/block/${major}:${minor}`));
    if (!readdirSync("/proc/fs/jbd2").some((journal) => journal.replace(/-\d+$/, "") === device)) return false;
    return !readFileSync(`/proc/fs/ext4/${device}/options`, "latin1").includes("data=writeback");
  } catch (error) {
    if (isSystemError(error)) return false; // a container may see neither
    throw error;
  }
}
