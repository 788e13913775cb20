/**
 * A disk whose writes and flushes are recorded in the order in which they came: a loop device on a file that
 * `qemu-storage-daemon` exports over FUSE, and logs by `blklogwrites`. It takes one request at a time.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, copyFileSync, openSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";

export const sectorBytes = 512;
/** Behind the file system, where marks are written. */
const markBytes = 4096;

const makes = {
  ext4: { bytes: 64 << 20, mkfs: ["mkfs.ext4", "-q"], options: "noatime" },
  xfs: { bytes: 320 << 20, mkfs: ["mkfs.xfs", "-q", "-K"], options: "noatime,nouuid" },
  btrfs: { bytes: 256 << 20, mkfs: ["mkfs.btrfs", "-q", "-K"], options: "noatime" },
};

/** Mounts a new disk of that file system on `at`, recorded from now on; `folder` is in memory. */
export async function recordDisk(fileSystem, folder, at) {
  const { bytes, mkfs } = makes[fileSystem];
  const [disk, base, log, exported] = ["disk", "base", "log", "exported"].map((name) => `${folder}/${name}`);
  for (const path of [disk, log, exported]) writeFileSync(path, "");
  truncateSync(disk, bytes);
  execFileSync(mkfs[0], [...mkfs.slice(1), disk]);
  truncateSync(disk, bytes + markBytes);
  truncateSync(log, 2 ** 32);
  copyFileSync(disk, base);
  const daemon = spawn(
    "qemu-storage-daemon",
    [
      ["--blockdev", `driver=file,node-name=disk,filename=${disk},cache.no-flush=on`],
      ["--blockdev", `driver=file,node-name=log,filename=${log},cache.no-flush=on`],
      ["--blockdev", `driver=blklogwrites,node-name=logged,file=disk,log=log,log-sector-size=${sectorBytes}`],
      ["--export", `type=fuse,id=export,node-name=logged,mountpoint=${exported},writable=on`],
    ].flat(),
    { stdio: "inherit" },
  );
  await whenExported(exported, bytes, daemon);
  mountDisk(fileSystem, exported, at);
  const marks = openSync(exported, "r+");
  return {
    base,
    log,
    /** What the workload has come to, at this place in the log. */
    mark(value) {
      const sector = Buffer.alloc(sectorBytes, " ");
      sector.write(JSON.stringify(value));
      writeSync(marks, sector, 0, sectorBytes, bytes);
    },
    markAt: bytes,
    /** What it holds, for whoever mounts it once more. */
    disk,
    /** From now on every access fails with EIO. */
    async die() {
      closeSync(marks);
      daemon.kill("SIGKILL");
      await once(daemon, "exit");
    },
    async close() {
      closeSync(marks);
      execFileSync("umount", [at]);
      daemon.kill();
      await once(daemon, "exit");
    },
  };
}

/** The loop device goes with its mount. */
export function mountDisk(fileSystem, image, at) {
  const { bytes, options } = makes[fileSystem];
  execFileSync("mount", ["-t", fileSystem, "-o", `loop,sizelimit=${bytes},${options}`, image, at]);
}

/** It says nothing when it is there: the file has the disk's size then. */
async function whenExported(path, bytes, daemon) {
  while (statSync(path).size < bytes) {
    if (daemon.exitCode !== null) throw new Error(`qemu-storage-daemon ended with code ${daemon.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
