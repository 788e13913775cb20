/** What the kit for network drivers must find: one thing wrong at a time, in a plugin that is right otherwise. */
import { expect, test } from "vitest";
import { describeKit } from "../kit-faults.test.support.ts";
import { networkDriverChecks } from "./checks/index.ts";
import { runNetworkDriverKit } from "./kit.ts";
import { networkFaults } from "./network-faults.test.support.ts";
import { createMemoryNetworks, links, rightNetworks } from "./right-networks.test.support.ts";

const hasLink = async (name: string) => links.has(name);

describeKit({
  right: rightNetworks,
  checks: networkDriverChecks,
  faults: networkFaults,
  run: (options) => runNetworkDriverKit({ ...options, hasLink }),
});

test("a driver in this process is checked without a wire, and one whose links are elsewhere without them", async () => {
  const results = await runNetworkDriverKit({ open: async () => createMemoryNetworks(), seesLinks: false });
  const skipped = results
    .filter(({ outcome }) => outcome === "skipped")
    .map(({ id }) => id.replace(/^(wire|engine|restart).*/, "$1"));
  expect(new Set(skipped)).toEqual(new Set(["wire", "engine", "restart", "endpoint/link-gone", "join/link"]));
  expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
});
