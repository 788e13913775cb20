/** The Container Storage Interface both ways, with mounts of this kernel, on the built package. */
import { join } from "node:path";
import { test } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { atNight } from "../../night.ts";
import { type LoopFileSystem, runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const scenarios = [
  ["publish", "a volume is shown at its targets with all flags, again when asked again, and leaves nothing"],
  ["linkedFolder", "a target below a symlink is known again, and its holder stays"],
  ["sameShare", "volumes of one share are told apart, and what is not a volume's own stays mounted"],
  ["asDriver", "a plugin's volumes are those of a volume driver"],
  [
    "expanded",
    "a plugin's volumes are given another size, by its controller and its node, at once or when they are mounted",
  ],
  ["seenElsewhere", "a volume that a plugin has mounted where nobody here sees it is not given to containers"],
  ["lostAnswer", "a volume that was made for a lost answer is found and deleted"],
] as const;

describeWith([needs.root], "CSI", () => {
  const program = join(import.meta.dirname, "scenarios.mjs");
  for (const [id, title] of scenarios) {
    test.concurrent(
      title,
      async () => {
        await runWithPrivateMounts((folder) => [process.execPath, program, id, folder]);
      },
      60_000,
    );
  }
  test.each<LoopFileSystem>(atNight ? ["ext4", "xfs", "btrfs"] : ["xfs"])(
    "snapshots and clones on %s are whole or not at all, whoever is killed, and outlive what they are of",
    async (fileSystem) => {
      const snapshots = join(import.meta.dirname, "snapshots.mjs");
      await runWithPrivateMounts((folder) => [process.execPath, snapshots, folder], { fileSystem });
    },
    120_000,
  );
});
