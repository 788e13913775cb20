/**
 * Docker's daemon, on the same file system and with the same folders under its data root, chooses the driver that Cleat
 * chooses.
 */
import { join } from "node:path";

import { test } from "vitest";

import { type LoopFileSystem, runWithPrivateMounts } from "../../kernel/graphdriver/private-mounts.ts";
import { describeWith, needs } from "../../needs.ts";

type Case = readonly [title: string, fileSystem: LoopFileSystem, paths: readonly string[]];

const cases: readonly Case[] = [
  ["on ext4", "ext4", []],
  ["on xfs", "xfs", []],
  ["on btrfs", "btrfs", []],
  ["where folders hold no types of files", "ext4 without d_type", []],
  ["beside layers of vfs", "ext4", ["vfs/dir/a/"]],
  ["with layers of overlay2 on btrfs", "btrfs", ["overlay2/l/A"]],
  ["with layers of two drivers", "btrfs", ["overlay2/l/A", "btrfs/subvolumes/a/"]],
  ["with layers of a driver that does not work", "ext4", ["btrfs/subvolumes/a/"]],
];

const required = [
  needs.root,
  needs.dockerd,
  needs.overlay,
  needs.fuseOverlayfs,
  needs.loopDevices,
  needs.ext4,
  needs.xfs,
  needs.btrfs,
];

describeWith(required, "the driver that Docker chooses", () => {
  test.each(cases)("%s is ours", async (_title, fileSystem, paths) => {
    const program = join(import.meta.dirname, "../../harness/plugins/driver-choice.mjs");
    await runWithPrivateMounts((folder) => [process.execPath, program, folder, ...paths], { fileSystem });
  });
});
