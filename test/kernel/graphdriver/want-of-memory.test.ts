/** Every driver, killed by the kernel for want of memory while it unpacks. On the built package. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { describeWith, type Need, needs } from "../../needs.ts";
import { atNight } from "../../night.ts";
import { type LoopFileSystem, runWithPrivateMounts } from "./private-mounts.ts";

const hasMemoryGroups =
  existsSync("/sys/fs/cgroup/memory/memory.limit_in_bytes") ||
  (existsSync("/sys/fs/cgroup/cgroup.subtree_control") &&
    readFileSync("/sys/fs/cgroup/cgroup.subtree_control", "utf8").includes("memory"));

const memoryGroups: Need = {
  name: "control groups of memory",
  met: hasMemoryGroups,
  reason: hasMemoryGroups ? "" : "a plugin is given so much memory and no more",
  bring: "echo +memory >/sys/fs/cgroup/cgroup.subtree_control",
};

const subjects: readonly { driver: string; needs: readonly Need[]; fileSystem?: LoopFileSystem }[] = [
  { driver: "overlay2", needs: [needs.overlay] },
  { driver: "fuse-overlayfs", needs: [needs.fuseOverlayfs] },
  { driver: "vfs", needs: [] },
  { driver: "btrfs", needs: [needs.btrfs, needs.loopDevices], fileSystem: "btrfs" },
];

for (const { driver, needs: own, fileSystem } of atNight ? subjects : []) {
  describeWith([needs.root, memoryGroups, ...own], driver, () => {
    test(
      "killed by the kernel for want of memory has every layer that was acknowledged, whole, and nothing else",
      { timeout: 300_000 },
      async () => {
        const program = join(import.meta.dirname, "scenarios/main.mjs");
        await runWithPrivateMounts((folder) => [process.execPath, program, "outOfMemory", driver, folder], {
          fileSystem,
        });
      },
    );
  });
}
