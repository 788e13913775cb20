/** What a snapshotter over overlay2 could get wrong on the disk, one thing each. */
import * as fs from "node:fs";

import type { GraphDriver } from "cleat/graphdriver";
import type { Mount, Snapshotter, Usage } from "cleat/snapshotter";
import { lgetxattr, lremovexattr, lsetxattr } from "#dist/syscall/index.js";

import {
  beforeRebase,
  changingLowers,
  changingMounts,
  isFolder,
  isWhiteout,
  lowersOf,
  mountsOf,
  onCommit,
  onPrepare,
  sumOf,
  upperOf,
  type Plant,
} from "./spoil.ts";

/** `found` are the checks that must fail, and no other. */
export type Fault<Subject> = readonly [title: string, plant: Plant<Subject>, found: readonly string[]];

const opaque = "trusted.overlay.opaque";
const refLabel = "containerd.io/snapshot.ref";
const nothing: Usage = { sizeBytes: 0, inodes: 0 };

/** Of what a snapshotter tells of mounts. */
const told: readonly Fault<Snapshotter>[] = [
  [
    "a view is told as any mount is, without ro",
    changingMounts((mount) => ({ ...mount, options: mount.options.filter((option) => option !== "ro") })),
    ["files/read-only"],
  ],
  [
    "a view of layers that lie on each other is told as what a container writes to",
    (right) => ({
      async view(key, options) {
        const mounts = await right.view(key, options);
        return lowersOf(mounts[0]) === undefined ? mounts : right.prepare(`${key} as a container`, options);
      },
      async remove(key) {
        await right.remove(`${key} as a container`).catch(() => {});
        await right.remove(key);
      },
    }),
    ["files/read-only"],
  ],
  [
    "layers are told from the lowest upwards",
    changingMounts((mount) => changingLowers(mount, (lowers) => lowers.toReversed())),
    [
      "stack/deletions",
      "stack/opaque",
      "stack/kinds",
      "stack/moves",
      "stack/attributes",
      "stack/128",
      "rebase/whiteouts",
      "rebase/opaque-root",
    ],
  ],
  [
    "the lowest of 127 layers is left out",
    changingMounts((mount) => changingLowers(mount, (lowers) => lowers.slice(0, 126))),
    ["stack/128"],
  ],
  [
    "whoever wants a snapshot on a parent is given the one that is there",
    (right) => {
      const made = new Map<string, readonly Mount[]>();
      return {
        async prepare(key, options) {
          const mounts = await right.prepare(key, options);
          const { parent } = options;
          if (parent === undefined) return mounts;
          const first = made.get(parent) ?? mounts;
          made.set(parent, first);
          return first;
        },
      };
    },
    ["files/apart"],
  ],
  [
    "a container that names a layer is told what one unpacks into",
    (right) => ({
      async prepare(key, options) {
        const mounts = await right.prepare(key, options);
        if (options.labels?.[refLabel] === undefined || options.parent !== undefined) return mounts;
        return [{ type: "overlay", source: "overlay", options: [`upperdir=${upperOf(mounts)}`] }];
      },
    }),
    ["rebase/mounts"],
  ],
  [
    "what is unpacked into is told as any other when it is asked for again",
    (right) => ({
      async mounts(key) {
        const mounts = await right.mounts(key);
        if (mounts[0]?.type !== "overlay") return mounts;
        return [{ type: "bind", source: upperOf(mounts), options: ["rw", "rbind"] }];
      },
    }),
    ["rebase/mounts"],
  ],
];

/** Of what becomes of files. */
const spoiled: readonly Fault<Snapshotter>[] = [
  ["nobody but root may look into a snapshot", onPrepare((upper) => fs.chmodSync(upper, 0o700)), ["files/root"]],
  [
    "the root of a snapshot is root's, whosever its parent's is",
    onPrepare((upper) => fs.chownSync(upper, 0, 0)),
    ["files/root-owner"],
  ],
  [
    "a snapshot is not removed while it is mounted",
    (right) => ({
      async remove(key) {
        const mounts = await right.mounts(key).catch(() => []);
        const isMounted =
          mounts.length > 0 && fs.readFileSync("/proc/self/mountinfo", "utf8").includes(upperOf(mounts));
        if (!isMounted) await right.remove(key);
      },
    }),
    ["files/removed-while-mounted"],
  ],
  [
    "attributes that are no text are kept as if they were",
    onCommit((path) => {
      const value = lgetxattr(path, "user.bytes");
      if (value !== undefined) lsetxattr(path, "user.bytes", Buffer.from(value.toString()));
    }),
    ["files/attributes"],
  ],
  [
    "a file that is copied up loses what it may do",
    onCommit((path, below) => {
      const isCapable = lgetxattr(path, "security.capability") !== undefined;
      if (isCapable && fs.existsSync(below)) lremovexattr(path, "security.capability");
    }),
    ["files/attributes"],
  ],
  [
    "whiteouts are lost at commit",
    onCommit((path) => isWhiteout(path) && fs.rmSync(path)),
    ["stack/deletions", "stack/moves", "rebase/whiteouts"],
  ],
  [
    "opaque marks are lost at commit",
    onCommit((path) => lgetxattr(path, opaque) !== undefined && lremovexattr(path, opaque)),
    ["stack/opaque", "rebase/whiteouts", "rebase/opaque-root"],
  ],
  [
    "what takes the place of a folder is lost at commit",
    onCommit((path, below) => fs.lstatSync(path).isFile() && isFolder(below) && fs.rmSync(path)),
    ["stack/kinds"],
  ],
  [
    "modes lose the bits above those of permissions at commit",
    onCommit((path) => {
      const stat = fs.lstatSync(path);
      if (stat.isFile() || stat.isDirectory()) fs.chmodSync(path, stat.mode & 0o777);
    }),
    ["stack/attributes"],
  ],
];

/** Of what snapshots take. */
const measured: readonly Fault<Snapshotter>[] = [
  ["no snapshot takes anything", () => ({ usage: async () => nothing }), ["usage/added", "usage/once", "rebase/usage"]],
  [
    "what a snapshot takes is all that it shows",
    (right) => {
      const usage = async (key: string): Promise<Usage> => {
        const [own, { parent }] = [await right.usage(key), await right.stat(key)];
        if (parent === undefined) return own;
        const below = await usage(parent);
        return { sizeBytes: own.sizeBytes + below.sizeBytes, inodes: own.inodes + below.inodes };
      };
      return { usage };
    },
    ["usage/added", "usage/views", "rebase/usage"],
  ],
];

/** Of the graph driver below. */
export const faultsOfDriver: readonly Fault<GraphDriver>[] = [
  [
    "files count as often as they have names",
    (driver) => ({ usage: (id) => sumOf(driver, id, (stat) => stat.blocks * 512) }),
    ["usage/once"],
  ],
  [
    "holes count as what they stand for",
    (driver) => ({
      usage: (id) =>
        sumOf(
          driver,
          id,
          (stat) => stat.size / stat.nlink,
          (stat) => 1 / stat.nlink,
        ),
    }),
    ["usage/once"],
  ],
  [
    "a layer is laid on another in words only",
    () => ({ rebase: async () => {} }),
    ["rebase/whiteouts", "rebase/opaque-root"],
  ],
  [
    "whiteouts are lost as a layer is laid on another",
    beforeRebase((path) => isWhiteout(path) && fs.rmSync(path)),
    ["rebase/whiteouts"],
  ],
  [
    "the mark of a root is lost as a layer is laid on another",
    beforeRebase((path, isRoot) => isRoot && lgetxattr(path, opaque) !== undefined && lremovexattr(path, opaque)),
    ["rebase/opaque-root"],
  ],
  [
    "a layer that lies where it should is left with the mark of its root",
    (driver) => ({
      async rebase(id, parent) {
        const [mount] = await mountsOf(driver, id);
        if (lowersOf(mount) === undefined) await driver.rebase?.(id, parent);
      },
    }),
    ["rebase/opaque-root"],
  ],
];

export const faultsOfSnapshotter: readonly Fault<Snapshotter>[] = [...told, ...spoiled, ...measured];
