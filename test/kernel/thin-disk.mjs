/** A disk that promises more room than it has: what the kernel writes back to it later fails. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";

const sizeBytes = 128 * 2 ** 20;

/** Mounts ext4 in `folder`, whose disk is a file in memory. Goes with the caller's mount namespace. */
export function mountThinDisk(folder) {
  const [memory, disk] = [`${folder}/memory`, `${folder}/thin`];
  for (const path of [memory, disk]) mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=144m", "memory", memory]);
  const image = `${memory}/image`;
  execFileSync("truncate", ["--size", String(sizeBytes), image]);
  execFileSync("mkfs.ext4", ["-q", "-b", "4096", image]);
  execFileSync("fallocate", ["--length", String(sizeBytes), image]);
  execFileSync("mount", ["-o", "loop", image, disk]);
  return {
    path: disk,
    /**
     * From now on contents are not written. What the file system itself keeps is: its tables have their places, and new
     * folders and maps of files take gaps of one block each, the smallest there are, which contents do not fit.
     */
    exhaust() {
      const spares = Array.from({ length: 512 }, (_, at) => `${disk}/spare-${at}`);
      for (const spare of spares) mkdirSync(spare, { recursive: true });
      for (const to of ["--freeze", "--unfreeze"]) execFileSync("fsfreeze", [to, disk]); // out of the journal
      execFileSync("fstrim", [disk]);
      for (const [at, spare] of spares.entries()) if (at % 2 === 0) rmdirSync(spare);
      for (const to of ["--freeze", "--unfreeze"]) execFileSync("fsfreeze", [to, disk]);
      for (const block of ["1M", "4k"]) {
        spawnSync("dd", ["if=/dev/zero", `of=${memory}/rest-${block}`, `bs=${block}`], { stdio: "ignore" });
      }
    },
    relieve() {
      for (const block of ["1M", "4k"]) rmSync(`${memory}/rest-${block}`);
    },
    /** Whether somebody else who flushes the file system is told that a write failed. */
    flushFailsElsewhere() {
      return spawnSync("sync", ["--file-system", disk], { stdio: "ignore" }).status !== 0;
    },
    /** What is read afterwards comes from the disk. */
    forget() {
      spawnSync("sync", ["--file-system", disk], { stdio: "ignore" });
      writeFileSync("/proc/sys/vm/drop_caches", "3");
    },
  };
}
