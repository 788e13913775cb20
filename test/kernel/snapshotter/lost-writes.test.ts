import { join } from "node:path";
import { test } from "vitest";

import { describeWith, needs } from "../../needs.ts";
import { runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const program = join(import.meta.dirname, "lost-writes.mjs");

for (const driver of ["overlay2", "vfs"]) {
  describeWith([needs.root, needs.loopDevices, needs.ext4], `a snapshotter on ${driver}`, () => {
    test("whose disk loses writes acknowledges no commit of them, whoever was told", async () => {
      await runWithPrivateMounts((folder) => [process.execPath, program, driver, folder]);
    });
  });
}
