/**
 * The graph drivers on the kernel of another processor: Debian's for arm64, with Node for arm64, in an emulator.
 * Whatever differs there (numbers of system calls, flags, what a struct looks like) is met by the checks of the kit.
 */
import { join } from "node:path";

import { beforeAll, describe, test } from "vitest";

import { graphDriverChecks } from "cleat/testing";

import { describeWith, needs } from "../../needs.ts";
import { drivers, scenarioTitles } from "./checks.mjs";
import type { KitResult } from "../graphdriver/kit-runs.ts";
import { arm64Kind } from "../virtual-machine/machine-kinds.ts";
import { runInMachine } from "../virtual-machine/run-in-machine.ts";

/** Some 200 checks, at a twentieth of this processor's speed. */
const timeoutMs = 1_400_000;

describeWith([needs.arm64Machine, needs.busybox, needs.ext4], "on arm64", () => {
  const results = new Map<string, KitResult>();
  let failure: unknown;

  beforeAll(async () => {
    const program = join(import.meta.dirname, "guest.mjs");
    const disks = [{ size: "2G", mkfs: "mkfs.ext4 -q" }];
    await runInMachine({ program, disks, kind: arm64Kind, timeoutMs, onLine: note }).catch(
      (error: unknown) => (failure = error),
    );
  }, 2 * timeoutMs);

  function note(line: string): void {
    const { of, ...result } = JSON.parse(line) as KitResult & { of: string };
    results.set(`${of} ${result.id}`, result);
  }

  for (const [id, title] of Object.entries(scenarioTitles))
    test(title, ({ skip }) => settle(results.get(`scenario ${id}`), skip));

  describe.each(Object.entries(drivers))("%s", (driver, groups) => {
    const asked = graphDriverChecks.filter(({ id }) => groups.includes(id.split("/")[0] as string));
    for (const { id, title } of asked)
      test(`${id}: ${title}`, ({ skip }) => settle(results.get(`${driver} ${id}`), skip));
  });

  function settle(result: KitResult | undefined, skip: (reason?: string) => void): void {
    if (result === undefined) throw failure ?? new Error("the machine ended without a result");
    if (result.outcome === "skipped") return skip(result.reason);
    if (result.outcome !== "passed") throw new Error(result.error ?? result.reason ?? result.outcome);
  }
});
