/** What a differ reads of snapshots that are whole trees. */
import { join } from "node:path";
import { test } from "vitest";

import { describeWith, needs } from "../../needs.ts";
import { runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const program = join(import.meta.dirname, "known-same.mjs");
const title = "is read for a diff where it was touched, and found however that is hidden";

describeWith([needs.root], "a snapshot of vfs", () => {
  test(title, async () => {
    await runWithPrivateMounts((folder) => [process.execPath, program, "vfs", folder]);
  });
});

describeWith([needs.root, needs.loopDevices, needs.btrfs], "a snapshot of btrfs", () => {
  test(title, async () => {
    const command = (folder: string) => [process.execPath, program, "btrfs", folder];
    await runWithPrivateMounts(command, { fileSystem: "btrfs" });
  });
});
