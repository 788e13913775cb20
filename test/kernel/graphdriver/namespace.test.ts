/**
 * overlay2 as root of a user namespace, as rootless engines run it: what is not the kit's. Each scenario runs in a
 * process, a user namespace and a mount namespace of its own, on the built package.
 */
import { chmod } from "node:fs/promises";
import { join } from "node:path";

import { test } from "vitest";

import { createScratch } from "../../harness/namespaces/scratch.ts";
import { describeWith, needs } from "../../needs.ts";
import { buildMobyPlugin, mobySource } from "./moby-plugin.ts";
import { runWithPrivateMounts } from "./private-mounts.ts";
import { namespaceNeeds, readableByAnybody } from "./subjects.ts";

const scenarios = join(import.meta.dirname, "scenarios");
const minuteMs = 60_000;

const inNamespace = [
  ["refusedAttributes", "an attribute that the file system refuses fails the layer, by name"],
  ["homeServedTwice", "a home that is being served is refused"],
  ["crashDuringApply", "kill -9 in applyDiff leaves each layer whole or as it was created"],
  ["crashDuringRemove", "kill -9 in remove leaves each layer whole or not there"],
  ["staleProbeMount", "a mount that a killed process left staged is swept"],
  ["parentsAreReadOnly", "a layer that has a child is mounted read-only"],
  ["fiveHundredLayers", "500 layers are mounted one by one, and one more is refused"],
  ["onePageOfLayers", "128 layers are mounted by the one page of an older kernel, and one more is refused"],
] as const;

describeWith(namespaceNeeds, "overlay2 in a user namespace", () => {
  for (const [id, title] of inNamespace) {
    test.concurrent(
      title,
      async () => {
        const command = (folder: string) => [process.execPath, join(scenarios, "main.mjs"), id, "overlay2", folder];
        await runWithPrivateMounts(command, { userNamespace: true });
      },
      5 * minuteMs,
    );
  }
});

describeWith([...namespaceNeeds, needs.xfs], "overlay2 in a user namespace, on xfs", () => {
  test(
    "keeps layers in a folder that hands a project on",
    async () => {
      const program = join(scenarios, "main.mjs");
      await runWithPrivateMounts((folder) => [process.execPath, program, "projectOfUser", "overlay2", folder], {
        fileSystem: "xfs",
      });
    },
    5 * minuteMs,
  );
});

describeWith([...namespaceNeeds, needs.fuseOverlayfs], "stores of user namespaces and of the host", () => {
  test.each(["overlay2", "fuse-overlayfs"])(
    "are refused where they would be misread, by %s",
    async (driver) => {
      const program = join(scenarios, "main.mjs");
      await runWithPrivateMounts((folder) => [process.execPath, program, "storesOfNamespaces", driver, folder], {
        fileSystem: "ext4",
      });
    },
    5 * minuteMs,
  );
});

describeWith([needs.root, readableByAnybody], "a store of an ordinary user", () => {
  test("is refused to root, by vfs", async () => {
    const program = join(scenarios, "main.mjs");
    await runWithPrivateMounts((folder) => [process.execPath, program, "homeOfOrdinaryUser", "vfs", folder], {
      fileSystem: "ext4",
    });
  });
});

describeWith([...namespaceNeeds, mobySource], "overlay2 in a user namespace, and moby's own", () => {
  test(
    "read each other's stores alike",
    async () => {
      await using scratch = await createScratch();
      await chmod(scratch.path, 0o755);
      const program = buildMobyPlugin(scratch.path);
      const command = (folder: string) => [
        process.execPath,
        join(scenarios, "namespace-exchange.mjs"),
        folder,
        program,
      ];
      await runWithPrivateMounts(command, { userNamespace: true });
    },
    5 * minuteMs,
  );
});
