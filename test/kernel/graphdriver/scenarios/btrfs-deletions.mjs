import { execFileSync } from "node:child_process";

/**
 * Waits until the kernel has given back what deleted subvolumes took. It does that in the background, behind a commit,
 * for which it would take its time: 30 seconds. Source: Linux v6.1 `fs/btrfs/disk-io.c` `transaction_kthread`.
 */
export function finishDeletions(folder) {
  execFileSync("mount", ["--options", "remount,commit=1", folder]);
  execFileSync("btrfs", ["subvolume", "sync", "-s", "1", folder]);
  execFileSync("btrfs", ["filesystem", "sync", folder]);
}
