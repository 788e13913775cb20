import { spawnSync } from "node:child_process";

import { graphDriverChecks } from "cleat/testing";

import { type Need, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import {
  fuseOverlayfsFailures,
  mobyOverlay2Failures,
  mobyVfsFailures,
  namespacedOverlay2Failures,
} from "./expected-failures.ts";
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
  /** Of the checks only those whose ids begin so; default all. */
  readonly parts?: readonly string[];
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
  expectedFailures: namespacedOverlay2Failures,
} as const;

const fuseInUserNamespace = {
  driver: "fuse-overlayfs",
  userNamespace: true,
  needs: [needs.root, needs.fuseOverlayfs, readableByAnybody, userNamespaces],
  expectedFailures: fuseOverlayfsFailures,
} as const;

type Kind = Pick<Subject, "driver" | "needs" | "expectedFailures" | "fileSystem" | "userNamespace">;
type Door = (typeof doors)[number];

const everyDriver: readonly Kind[] = [...drivers, btrfs];
const namespaced: readonly Kind[] = [inUserNamespace, fuseInUserNamespace];
const [inProcess, overSocket] = doors;
const whereOf = ({ userNamespace }: Kind) => (userNamespace ? " in a user namespace" : "");

const plainly = (kind: Kind, door: Door): Subject => ({
  ...kind,
  ...door,
  title: `${kind.driver}${whereOf(kind)}, ${door.title}`,
});

const exactly = (kind: Kind, door: Door): Subject => ({
  ...kind,
  ...door,
  title: `${kind.driver} with exact diffs, ${door.title}`,
  options: ["cleat.exact_diffs=true"],
});

const onEveryFileSystem = (kind: Kind): Subject[] =>
  fileSystems.flatMap(({ fileSystem, ...more }) =>
    doors.map((door) => ({
      ...kind,
      ...door,
      fileSystem,
      title: `${kind.driver}${whereOf(kind)} on ${fileSystem}, ${door.title}`,
      needs: [...kind.needs, ...more.needs],
    })),
  );

const [overlay2] = drivers;
const isOverlay2 = ({ driver }: Kind) => driver === "overlay2";

const ordinaryUser: Subject = {
  title: "vfs of an ordinary user",
  needs: [needs.root, readableByAnybody],
  driver: "vfs",
  opener: "inProcess",
  unprivileged: true,
};

const [, fuseOverlayfs] = drivers;

/** What a driver of overlay's layout does in its own way: the rest of fuse-overlayfs is the code of overlay2. */
const partsOfMounting = ["union", "mount", "restart", "depth", "spec", "life", "apply", "whiteout", "size", "quota"];
/** What depends on who keeps the layers. */
const partsOfUser = [
  "life",
  "apply",
  "attributes",
  "access",
  "implied",
  "whiteout",
  "diff",
  "changes",
  "breakout",
  "broken",
];
const partsOfNamespace = [...partsOfUser, "union", "idmap", "mount", "restart"];

/** Each driver, each door and each kind of user at least once, in what is its own. */
const daily: readonly Subject[] = [
  ...everyDriver.filter((kind) => kind !== fuseOverlayfs).map((kind) => plainly(kind, inProcess)),
  { ...plainly(fuseOverlayfs, inProcess), parts: partsOfMounting },
  exactly(overlay2, overSocket),
  { ...ordinaryUser, parts: partsOfUser },
  { ...plainly(inUserNamespace, overSocket), parts: partsOfNamespace },
];

/**
 * Somebody else's drivers, which prove that the kit asks for nothing that only ours do; and the other pairs of all
 * these.
 */
const nightly: readonly Subject[] = [
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
  plainly(fuseOverlayfs, inProcess),
  ordinaryUser,
  plainly(inUserNamespace, overSocket),
  ...everyDriver.map((kind) => plainly(kind, overSocket)),
  ...everyDriver.map((kind) => exactly(kind, inProcess)),
  ...everyDriver.filter((kind) => !isOverlay2(kind)).map((kind) => exactly(kind, overSocket)),
  plainly(fuseInUserNamespace, overSocket),
  ...drivers.flatMap(onEveryFileSystem),
  ...namespaced.flatMap(onEveryFileSystem),
];

export const subjects = byDayOrNight(daily, nightly);

/** The ids of the checks that a subject is to pass. */
export function checksOf({ parts }: Subject): readonly string[] {
  const ids = graphDriverChecks.map(({ id }) => id);
  return parts === undefined ? ids : ids.filter((id) => parts.some((part) => id.startsWith(`${part}/`)));
}
