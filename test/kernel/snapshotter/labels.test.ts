/** What labels of a snapshot ask its storage for, on the kernel: mapped ids, and a size. */
import { join } from "node:path";
import { test } from "vitest";

import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const program = (name: string) => join(import.meta.dirname, name);

for (const fileSystem of byDayOrNight(["ext4"] as const, ["xfs"] as const)) {
  describeWith([needs.root, needs.loopDevices, needs[fileSystem]], `a snapshotter on overlay2 on ${fileSystem}`, () => {
    test("has mounts in which root of the mapped ids is root, and refuses maps that are none", async () => {
      await runWithPrivateMounts((folder) => [process.execPath, program("mapped-ids.mjs"), folder], { fileSystem });
    });
  });
}

describeWith([needs.root, needs.loopDevices, needs.btrfs], "a snapshotter on btrfs", () => {
  test("lets nobody write more than the size that a snapshot is to have", async () => {
    const command = (folder: string) => [process.execPath, program("sizes.mjs"), "btrfs", folder];
    await runWithPrivateMounts(command, { fileSystem: "btrfs" });
  });
});

describeWith([needs.root], "a snapshotter on vfs", () => {
  test("takes no notice of sizes, and says so once", async () => {
    await runWithPrivateMounts((folder) => [process.execPath, program("sizes.mjs"), "vfs", folder]);
  });
});
