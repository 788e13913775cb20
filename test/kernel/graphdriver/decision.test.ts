/**
 * Which driver is chosen on real file systems: `cleat doctor`, `openDriver` without a name and the plugin's `auto` must
 * come to the same, and each driver must open where it was said to work, and nowhere else. On the built package.
 */
import { join } from "node:path";

import { test } from "vitest";

import { describeWith, type Need, needs } from "../../needs.ts";
import { atNight } from "../../night.ts";
import { type LoopFileSystem, runWithPrivateMounts } from "./private-mounts.ts";
import { readableByAnybody } from "./subjects.ts";

interface Case {
  readonly scenario: string;
  readonly title: string;
  readonly chosen: string;
  readonly fileSystem?: LoopFileSystem;
}

function define(required: readonly Need[], { scenario, title, chosen, fileSystem }: Case): void {
  const program = join(import.meta.dirname, "scenarios/main.mjs");
  describeWith([needs.root, needs.overlay, ...required], "the decision", () => {
    test.concurrent(title, async () => {
      await runWithPrivateMounts((folder) => [process.execPath, program, scenario, chosen, folder], { fileSystem });
    });
  });
}

const loop = needs.loopDevices;
const here = "decidesHere";

/** overlay2 is chosen as in a user namespace, and `test/engine/graphdriver/driver-choice.test.ts` is there by day. */
if (atNight) {
  define([loop, needs.ext4], { scenario: here, title: "on ext4", chosen: "overlay2", fileSystem: "ext4" });
  define([loop, needs.xfs], { scenario: here, title: "on xfs", chosen: "overlay2", fileSystem: "xfs" });
  define([], { scenario: "decidesOnTmpfs", title: "in memory", chosen: "overlay2" });
}
define([loop, needs.ext4, needs.fuseOverlayfs], {
  scenario: here,
  title: "where folders hold no types of files",
  chosen: "fuse-overlayfs",
  fileSystem: "ext4 without d_type",
});
define([loop, needs.btrfs], { scenario: here, title: "on btrfs", chosen: "btrfs", fileSystem: "btrfs" });
define([needs.fuseOverlayfs], { scenario: "decidesOnOverlay", title: "on an overlay", chosen: "vfs" });
define([], { scenario: "decidesInUserNamespace", title: "in a user namespace", chosen: "overlay2" });
define([readableByAnybody], { scenario: "decidesForAnybody", title: "for an ordinary user", chosen: "vfs" });
define([], {
  scenario: "priorDriverFails",
  title: "with layers of a driver that does not work any more",
  chosen: "none",
});
define([], { scenario: "homeOfAnotherDriver", title: "in a home of another driver", chosen: "none" });
define([], { scenario: "killedWhileProbing", title: "leaves nothing when it is killed", chosen: "none" });
define([needs.fuseOverlayfs], {
  scenario: "hungFileSystem",
  title: "is not waited for where a file system hangs",
  chosen: "none",
});
define([loop, needs.ext4], {
  scenario: "recordOnFullDisk",
  title: "is not recorded where the disk is full",
  chosen: "none",
  fileSystem: "tiny ext4",
});
