import { join } from "node:path";
import { test } from "vitest";

import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const program = join(import.meta.dirname, "crash.mjs");

/** So many lives, killed one to four lines later each: by day each step of the first day once. */
const [lives] = byDayOrNight([9], [41]).slice(-1) as [number];

const byDay = [{ driver: "overlay2", fileSystem: "ext4", durability: "layer" }] as const;
/** What nobody flushes outlives a process all the same: the kernel has it. */
const atNightToo = [
  { driver: "btrfs", fileSystem: "btrfs", durability: "layer" },
  { driver: "vfs", fileSystem: "ext4", durability: "layer" },
  { driver: "overlay2", fileSystem: "xfs", durability: "layer" },
  { driver: "overlay2", fileSystem: "xfs", durability: "none" },
  { driver: "btrfs", fileSystem: "btrfs", durability: "none" },
] as const;

for (const { driver, fileSystem, durability } of byDayOrNight([...byDay], [...byDay, ...atNightToo])) {
  const title = `a snapshotter on ${driver} on ${fileSystem}, durability ${durability}`;
  describeWith([needs.root, needs.loopDevices, needs[fileSystem]], title, () => {
    test("that is killed at any step has all that it acknowledged, whole, and nothing else", async () => {
      const command = (folder: string) => [process.execPath, program, driver, folder, String(lives), durability];
      await runWithPrivateMounts(command, { fileSystem });
    });
  });
}
