/**
 * Sizes of overlay2 on a kernel that has project quotas: Debian's, in a virtual machine. All checks run in one, for to
 * boot it and to start Node in it takes longer than most of them.
 */
import { join } from "node:path";

import { beforeAll, describe, test } from "vitest";

import { describeWith, needs } from "../../needs.ts";
import type { KitResult } from "./kit-runs.ts";
import { kitChecks, scenarioTitles } from "./sizes/checks.mjs";
import { runInMachine } from "../virtual-machine/run-in-machine.ts";

const disks = [
  { size: "512M", mkfs: "mkfs.xfs -q -K" },
  { size: "512M", mkfs: "mkfs.ext4 -q -O quota,project" },
];

const timeoutMs = 900_000;

describeWith([needs.virtualMachine, needs.busybox, needs.xfs, needs.ext4], "overlay2 with project quotas", () => {
  const results = new Map<string, KitResult>();
  let failure: unknown;

  beforeAll(async () => {
    const program = join(import.meta.dirname, "sizes/guest.mjs");
    await runInMachine({ program, disks, timeoutMs, onLine: note }).catch((error: unknown) => (failure = error));
  }, 2 * timeoutMs);

  function note(line: string): void {
    const { fileSystem, ...result } = JSON.parse(line) as KitResult & { fileSystem: string };
    results.set(`${fileSystem} ${result.id}`, result);
  }

  describe.each(["xfs", "ext4"])("on %s", (fileSystem) => {
    for (const id of kitChecks) test(id, () => assertPassed(fileSystem, id));
    for (const [id, title] of Object.entries(scenarioTitles)) test(title, () => assertPassed(fileSystem, id));
  });

  function assertPassed(fileSystem: string, id: string): void {
    const result = results.get(`${fileSystem} ${id}`);
    if (result === undefined) throw failure ?? new Error("the machine ended without a result");
    if (result.outcome !== "passed") throw new Error(result.error ?? result.reason ?? result.outcome);
  }
});
