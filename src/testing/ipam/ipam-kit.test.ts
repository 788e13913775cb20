/** What the kit for IPAM drivers must find: one thing wrong at a time, in a plugin that is right otherwise. */
import { expect, test } from "vitest";
import { createMemoryIpam, rightIpam } from "./right-ipam.test.support.ts";
import { describeKit } from "../kit-faults.test.support.ts";
import { ipamDriverChecks } from "./checks/index.ts";
import { ipamFaults } from "./ipam-faults.test.support.ts";
import { runIpamDriverKit } from "./kit.ts";

describeKit({ right: rightIpam, checks: ipamDriverChecks, faults: ipamFaults, run: runIpamDriverKit });

test("a driver in this process is checked without a wire", async () => {
  const results = await runIpamDriverKit({ open: async () => createMemoryIpam() });
  const skipped = results.filter(({ outcome }) => outcome === "skipped").map(({ id }) => id.split("/")[0]);
  expect(new Set(skipped)).toEqual(new Set(["wire", "engine", "restart"]));
  expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
});
