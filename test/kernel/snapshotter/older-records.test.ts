import { join } from "node:path";
import { test } from "vitest";

import { describeWith, needs } from "../../needs.ts";
import { runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const program = join(import.meta.dirname, "older-records.mjs");

for (const [driver, need] of [
  ["overlay2", needs.overlay],
  ["vfs", needs.root],
] as const) {
  describeWith([needs.root, need], `a snapshotter on ${driver}`, () => {
    test("that gets older records of a killed server's refuses them, and deletes no snapshot", async () => {
      await runWithPrivateMounts((folder) => [process.execPath, program, driver, folder]);
    });
  });
}
