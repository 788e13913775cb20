import { isSystemError, UnsupportedError } from "../../errors/index.ts";
import { fileSystemName, quotaState, subvolumeInfo, withFolderAt } from "../../syscall/index.ts";

/**
 * Finds out whether a home can hold subvolumes, by reading only: a full disk must not keep a store from being opened,
 * for then nothing could be removed from it. Blocks; runs on a worker.
 * @throws UNIMPLEMENTED when the home is on another file system, the kernel is before 4.18, or this process is not root
 * of the machine, who alone may delete subvolumes and limit them.
 */
export function probeBtrfs(home: string): void {
  withFolderAt(home, (folder) => {
    const fileSystem = fileSystemName(folder);
    if (fileSystem !== "btrfs") {
      throw new UnsupportedError("btrfs", {
        reason: "incompatible-file-system",
        needed: "a home on btrfs",
        probed: `statfs(2) of "${home}"`,
        seen: fileSystem,
      });
    }
    ask("Linux 4.18", "BTRFS_IOC_GET_SUBVOL_INFO", () => subvolumeInfo(folder));
    ask("root's privileges", "BTRFS_IOC_TREE_SEARCH", () => quotaState(folder));
  });
}

function ask(needed: string, request: string, probe: () => unknown): void {
  try {
    probe();
  } catch (error) {
    if (!isSystemError(error, "EPERM", "ENOTTY")) throw error;
    const reason = error.code === "EPERM" ? "prerequisites" : "not-supported";
    throw new UnsupportedError(
      "btrfs",
      { reason, needed, probed: `ioctl(2) ${request}`, seen: error.message },
      { cause: error },
    );
  }
}
