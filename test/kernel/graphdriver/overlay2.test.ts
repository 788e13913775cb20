/**
 * What is overlay2's own: layers that were written under other settings, kernels that can less, stores of older Docker.
 * Each scenario runs in a process and a mount namespace of its own, on the built package.
 */
import { join } from "node:path";

import { test } from "vitest";

import { describeWith, needs } from "../../needs.ts";
import { runWithPrivateMounts } from "./private-mounts.ts";

const minuteMs = 60_000;

const anywhere = [
  [
    "redirectedFolders",
    "a container that renamed folders under redirect_dir is mounted, compared and built upon rightly",
  ],
  ["archivesOnRedirects", "an archive is applied to such a container as to a flat copy of what it shows"],
  ["filesWithoutContent", "so is one whose changed files metacopy keeps without content"],
  ["forgedAttributes", "an archive cannot bring a redirect or a file without content"],
  ["noNativeDiff", "where diff folders cannot be trusted, trees are compared, and the status says so"],
  ["parentsAreReadOnly", "a layer that has a child is mounted read-only, in an old Docker's store too"],
  ["layersAreLookedThroughOnce", "a layer is looked through for what such settings leave once after another's mount"],
  ["labelledLayers", "a layer is mounted with its label when trees are compared, too"],
  ["fiveHundredLayers", "500 layers are mounted one by one, and one more is refused"],
  ["onePageOfLayers", "128 layers are mounted by the one page of an older kernel, and one more is refused"],
] as const;

describeWith([needs.root, needs.overlay, needs.attr], "overlay2", () => {
  const program = join(import.meta.dirname, "scenarios/main.mjs");
  for (const [id, title] of anywhere) {
    test.concurrent(
      title,
      async () => {
        await runWithPrivateMounts((folder) => [process.execPath, program, id, "overlay2", folder]);
      },
      5 * minuteMs,
    );
  }
});
