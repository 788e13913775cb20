import { join } from "node:path";
import { test } from "vitest";

import { describeWith, needs } from "../../needs.ts";
import { atNight, byDayOrNight } from "../../night.ts";
import { runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const program = join(import.meta.dirname, "crash.mjs");

/** So many lives, killed one to four lines later each: by day each step of the first day once. */
const timeoutMs = atNight ? 900_000 : 180_000;
const [lives] = byDayOrNight([9], [41]).slice(-1) as [number];

const subjects = [
  { driver: "overlay2", fileSystem: "ext4", more: [needs.ext4] },
  { driver: "btrfs", fileSystem: "btrfs", more: [needs.btrfs] },
  { driver: "vfs", fileSystem: "ext4", more: [needs.ext4] },
] as const;
const atNightToo = [{ driver: "overlay2", fileSystem: "xfs", more: [needs.xfs] }] as const;

for (const { driver, fileSystem, more } of byDayOrNight([...subjects], [...subjects, ...atNightToo])) {
  describeWith([needs.root, needs.loopDevices, ...more], `a snapshotter on ${driver} on ${fileSystem}`, () => {
    test(
      "that is killed at any step has all that it acknowledged, whole, and nothing else",
      { timeout: timeoutMs },
      async () => {
        const command = (folder: string) => [process.execPath, program, driver, folder, String(lives)];
        await runWithPrivateMounts(command, { fileSystem });
      },
    );
  });
}
