/** What snapshotters make of a machine that has too little of something. Each run has a process of its own. */
import { join } from "node:path";
import { test } from "vitest";

import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { type LoopFileSystem, runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

interface Row {
  readonly driver: "overlay2" | "btrfs" | "vfs";
  readonly fileSystem: LoopFileSystem;
  /** Default `layer`. */
  readonly durability?: "none";
}

const kernelNeedOf = { overlay2: [needs.overlay], btrfs: [], vfs: [] } as const;

const fullDisks = byDayOrNight<Row>(
  [
    { driver: "overlay2", fileSystem: "tiny ext4" },
    { driver: "overlay2", fileSystem: "tiny ext4", durability: "none" },
    { driver: "btrfs", fileSystem: "btrfs" },
  ],
  [
    { driver: "btrfs", fileSystem: "btrfs", durability: "none" },
    { driver: "overlay2", fileSystem: "xfs", durability: "none" },
    { driver: "vfs", fileSystem: "tiny ext4" },
    { driver: "btrfs", fileSystem: "tiny btrfs" },
    { driver: "overlay2", fileSystem: "xfs" },
  ],
);

const unreadable = byDayOrNight<Row>(
  [
    { driver: "overlay2", fileSystem: "ext4" },
    { driver: "btrfs", fileSystem: "btrfs" },
  ],
  [{ driver: "vfs", fileSystem: "ext4" }],
);

/** It waits for descriptors, five seconds at a time. */
const fewDescriptors = byDayOrNight<Row>(
  [],
  [
    { driver: "overlay2", fileSystem: "ext4" },
    { driver: "vfs", fileSystem: "ext4" },
    { driver: "btrfs", fileSystem: "btrfs" },
  ],
);

define(fullDisks, "full-disk.mjs", "a full disk loses nothing, opens, and lets snapshots be removed");
define(
  unreadable,
  "unreadable.mjs",
  "snapshots that cannot be read keep no other from being removed, nor lose a parent",
);
define(fewDescriptors, "few-descriptors.mjs", "a process without descriptors says so, and loses nothing");

function define(rows: readonly Row[], program: string, title: string): void {
  for (const { driver, fileSystem, durability } of rows) {
    const kind = fileSystem.includes("ext4") ? needs.ext4 : fileSystem.includes("xfs") ? needs.xfs : needs.btrfs;
    const required = [needs.root, needs.loopDevices, kind, ...kernelNeedOf[driver]];
    const how = durability === undefined ? [] : [durability];
    describeWith(required, [`${driver} on ${fileSystem}`, ...how].join(", durability "), () => {
      test(title, async () => {
        const path = join(import.meta.dirname, program);
        await runWithPrivateMounts((folder) => [process.execPath, path, driver, folder, ...how], { fileSystem });
      });
    });
  }
}
