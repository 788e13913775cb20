import { spawnSync } from "node:child_process";

import { type Need, needs } from "../../needs.ts";
import { fuseOverlayfsFailures, mobyOverlay2Failures, mobyVfsFailures } from "./expected-failures.ts";
import { mobySource } from "./moby-plugin.ts";
import type { LoopFileSystem } from "./private-mounts.ts";

/** A driver, on a file system, behind a door: what the kit is run on. */
export interface Subject {
  readonly title: string;
  readonly needs: readonly Need[];
  readonly driver: "overlay2" | "fuse-overlayfs" | "btrfs" | "vfs";
  readonly opener: "inProcess" | "overSocket" | "somebodyElses";
  readonly fileSystem?: LoopFileSystem;
  readonly unprivileged?: boolean;
  /** Runs as root of a user namespace, on a file system that was mounted outside. */
  readonly userNamespace?: boolean;
  /** What the driver is opened with, besides what a check wants. */
  readonly options?: readonly string[];
  readonly refusals?: "text";
  readonly expectedFailures?: Readonly<Record<string, string>>;
}

const drivers = [
  { driver: "overlay2", needs: [needs.root, needs.overlay] },
  { driver: "fuse-overlayfs", needs: [needs.root, needs.fuseOverlayfs], expectedFailures: fuseOverlayfsFailures },
  { driver: "vfs", needs: [needs.root] },
] as const;

const doors = [
  { opener: "inProcess", title: "in process" },
  { opener: "overSocket", title: "over a socket" },
] as const;

/** Needs its own file system under it, whatever the machine has. */
const btrfs = {
  driver: "btrfs",
  fileSystem: "btrfs",
  needs: [needs.root, needs.loopDevices, needs.btrfs],
} as const;

const fileSystems = [
  { fileSystem: "ext4", needs: [needs.loopDevices, needs.ext4] },
  { fileSystem: "xfs", needs: [needs.loopDevices, needs.xfs] },
  { fileSystem: "xfs without reflink", needs: [needs.loopDevices, needs.xfs] },
  { fileSystem: "btrfs", needs: [needs.loopDevices, needs.btrfs] },
] as const;

/** An ordinary user cannot run what lies in somebody's closed home. */
export const readableByAnybody: Need = {
  name: "a repository that anybody may read",
  bring: "a clone in a folder that other users may enter",
  get met() {
    return this.reason === "";
  },
  get reason() {
    const anybody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const { status } = spawnSync("setpriv", [...anybody, "test", "-r", import.meta.filename]);
    return status === 0 ? "" : `an ordinary user may not read ${import.meta.dirname}`;
  },
};

/** Overlay can be mounted in one since Linux 5.11. */
const userNamespaces: Need = {
  name: "user namespaces",
  bring: "a kernel with CONFIG_USER_NS, and more than 0 in /proc/sys/user/max_user_namespaces",
  get met() {
    return this.reason === "";
  },
  get reason() {
    const { status, stderr } = spawnSync("unshare", ["--user", "true"], { encoding: "utf8" });
    return status === 0 ? "" : stderr.trim();
  },
};

/** What it takes to run something as root of a user namespace. */
export const namespaceNeeds: readonly Need[] = [needs.root, needs.overlay, readableByAnybody, userNamespaces];

const inUserNamespace = {
  driver: "overlay2",
  userNamespace: true,
  needs: namespaceNeeds,
} as const;

const fuseInUserNamespace = {
  driver: "fuse-overlayfs",
  userNamespace: true,
  needs: [needs.root, needs.fuseOverlayfs, readableByAnybody, userNamespaces],
  expectedFailures: fuseOverlayfsFailures,
} as const;

export const subjects: readonly Subject[] = [
  ...drivers.flatMap((driver) =>
    doors.map((door): Subject => ({ ...driver, ...door, title: `${driver.driver} ${door.title}` })),
  ),
  ...doors.map((door): Subject => ({ ...btrfs, ...door, title: `btrfs ${door.title}` })),
  ...[...drivers, btrfs].flatMap((driver) =>
    doors.map((door): Subject => ({
      ...driver,
      ...door,
      title: `${driver.driver} with exact diffs, ${door.title}`,
      options: ["cleat.exact_diffs=true"],
    })),
  ),
  {
    title: "vfs of an ordinary user",
    needs: [needs.root, readableByAnybody],
    driver: "vfs",
    opener: "inProcess",
    unprivileged: true,
  },
  ...doors.map((door): Subject => ({
    ...inUserNamespace,
    ...door,
    title: `overlay2 in a user namespace, ${door.title}`,
  })),
  ...doors.map((door): Subject => ({
    ...fuseInUserNamespace,
    ...door,
    title: `fuse-overlayfs in a user namespace, ${door.title}`,
  })),
  ...fileSystems.map(({ fileSystem, ...more }): Subject => ({
    ...inUserNamespace,
    title: `overlay2 in a user namespace on ${fileSystem}`,
    needs: [...inUserNamespace.needs, ...more.needs],
    opener: "inProcess",
    fileSystem,
  })),
  ...drivers.flatMap((driver) =>
    fileSystems.map(({ fileSystem, ...more }): Subject => ({
      ...driver,
      title: `${driver.driver} on ${fileSystem}`,
      needs: [...driver.needs, ...more.needs],
      opener: "inProcess",
      fileSystem,
    })),
  ),
  {
    title: "moby's overlay2 behind its plugin protocol",
    needs: [needs.root, needs.overlay, mobySource],
    driver: "overlay2",
    opener: "somebodyElses",
    refusals: "text",
    expectedFailures: mobyOverlay2Failures,
  },
  {
    title: "moby's vfs behind its plugin protocol",
    needs: [needs.root, mobySource],
    driver: "vfs",
    opener: "somebodyElses",
    refusals: "text",
    expectedFailures: mobyVfsFailures,
  },
];
