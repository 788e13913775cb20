import { join } from "node:path";
import { test } from "vitest";

import { describeWith, needs } from "../../needs.ts";
import { runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const program = join(import.meta.dirname, "lost-append.mjs");

describeWith([needs.root, needs.loopDevices, needs.ext4], "a store that is opened again", () => {
  test("has what is on the disk, and not what the kernel shows of a write that failed", async () => {
    await runWithPrivateMounts((folder) => [process.execPath, program, folder]);
  });
});
