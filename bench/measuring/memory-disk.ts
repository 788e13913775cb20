import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../../test/harness/processes/command.ts";

/** A fresh ext4 in a file in memory: what a shared disk does meanwhile would hide what is measured. */
export interface MemoryDisk extends AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;
}

const sizeBytes = 6 * 2 ** 30;

/** Takes root. Of its size it uses what is written. Disposing unmounts it. */
export async function openMemoryDisk(): Promise<MemoryDisk> {
  const folder = await mkdtemp("/dev/shm/cleat-bench-");
  const [image, path] = [join(folder, "image"), join(folder, "mounted")];
  await mkdir(path);
  await runCommand(["truncate", `--size=${sizeBytes}`, image]);
  // Tables that the kernel would fill behind the first minutes are filled here.
  await runCommand(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", image]);
  await runCommand(["mount", "-o", "loop", image, path]);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await runCommand(["umount", "--lazy", path]);
      await rm(folder, { recursive: true });
    },
  };
}
