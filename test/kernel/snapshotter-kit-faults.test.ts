/**
 * What the kit for snapshotters must find in files, stacks, usage and layers that get their parent later: overlay2 with one
 * fault each, and at night that no check fails but those which must. Faults of records and names are found without a disk,
 * in `src/snapshotter/planted-faults.test.ts`.
 */
import * as fs from "node:fs";
import { join, relative } from "node:path";

import { expect, test } from "vitest";

import { overlay2 } from "cleat/drivers";
import type { GraphDriver, MountSpec } from "cleat/graphdriver";
import { openGraphDriverSnapshotter, type Mount, type Snapshotter, type Usage } from "cleat/snapshotter";
import { runSnapshotterKit, snapshotterChecks } from "cleat/testing";
import { lgetxattr, lremovexattr, lsetxattr } from "#dist/syscall/index.js";

import { createScratch } from "../harness/scratch.ts";
import { describeWith, needs } from "../needs.ts";
import { atNight } from "../night.ts";

type Row<Subject> = readonly [title: string, plant: (right: Subject) => Partial<Subject>, found: readonly string[]];

const opaque = "trusted.overlay.opaque";

/** Of what a snapshotter tells of mounts. */
const told: readonly Row<Snapshotter>[] = [
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
const spoiled: readonly Row<Snapshotter>[] = [
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
const measured: readonly Row<Snapshotter>[] = [
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
const laid: readonly Row<GraphDriver>[] = [
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

const refLabel = "containerd.io/snapshot.ref";
const nothing: Usage = { sizeBytes: 0, inodes: 0 };

function changingMounts(change: (mount: Mount) => Mount): Row<Snapshotter>[1] {
  return (right) => ({
    prepare: async (key, options) => (await right.prepare(key, options)).map(change),
    view: async (key, options) => (await right.view(key, options)).map(change),
    mounts: async (key) => (await right.mounts(key)).map(change),
  });
}

const lowerdir = "lowerdir=";

function changingLowers(mount: Mount, change: (lowers: string[]) => string[]): Mount {
  const lowers = lowersOf(mount);
  if (lowers === undefined) return mount;
  const others = mount.options.filter((option) => !option.startsWith(lowerdir));
  return { ...mount, options: [...others, lowerdir + change(lowers).join(":")] };
}

function lowersOf(mount: MountSpec | undefined): string[] | undefined {
  const option = mount?.options.find((one) => one.startsWith(lowerdir));
  return option?.slice(lowerdir.length).split(":");
}

/** Where what is written through a mount goes. */
function upperOf([mount]: readonly MountSpec[]): string {
  const option = mount?.options.find((one) => one.startsWith("upperdir="));
  const path = option?.slice("upperdir=".length) ?? mount?.source;
  if (path === undefined) throw new Error("a snapshot has no mount");
  return path;
}

async function mountsOf(driver: GraphDriver, id: string, readOnly = false): Promise<readonly MountSpec[]> {
  if (driver.mounts === undefined) throw new Error(`${driver.name} tells no mounts`);
  return driver.mounts(id, { readOnly });
}

/** Does something to the root of each snapshot when that is made. */
function onPrepare(spoil: (upper: string) => void): Row<Snapshotter>[1] {
  return (right) => ({
    async prepare(key, options) {
      const mounts = await right.prepare(key, options);
      spoil(upperOf(mounts));
      return mounts;
    },
  });
}

/** Does something to each file of a snapshot, its root among them, before that is committed; `below` is where its parent has it. */
function onCommit(spoil: (path: string, below: string) => unknown): Row<Snapshotter>[1] {
  return (right) => ({
    async commit(name, key, options) {
      const mounts = await right.mounts(key);
      const upper = upperOf(mounts);
      const [lower = "/nowhere"] = lowersOf(mounts[0]) ?? [];
      for (const path of allIn(upper)) spoil(path, join(lower, relative(upper, path)));
      await right.commit(name, key, options);
    },
  });
}

/** Does something to each file of a layer before that is laid on another. */
function beforeRebase(spoil: (path: string, isRoot: boolean) => unknown): Row<GraphDriver>[1] {
  return (driver) => ({
    async rebase(id, parent) {
      const upper = upperOf(await mountsOf(driver, id));
      for (const path of allIn(upper)) spoil(path, path === upper);
      await driver.rebase?.(id, parent);
    },
  });
}

function allIn(folder: string): string[] {
  const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" });
  return [folder, ...names.map((name) => join(folder, name))];
}

const isFolder = (path: string) => fs.existsSync(path) && fs.lstatSync(path).isDirectory();

function isWhiteout(path: string): boolean {
  const stat = fs.lstatSync(path);
  return stat.isCharacterDevice() && stat.rdev === 0;
}

/** Adds up over all names of a layer, folders aside, what each is told to count. */
async function sumOf(
  driver: GraphDriver,
  id: string,
  bytesOf: (stat: fs.Stats) => number,
  inodesOf: (stat: fs.Stats) => number = () => 1,
): Promise<Usage> {
  const stats = allIn(upperOf(await mountsOf(driver, id))).map((path) => fs.lstatSync(path));
  const sum = (valueOf: (stat: fs.Stats) => number) =>
    Math.round(stats.reduce((all, stat) => all + (stat.isDirectory() ? 0 : valueOf(stat)), 0));
  return { sizeBytes: sum(bytesOf), inodes: sum(inodesOf) + stats.filter((stat) => stat.isDirectory()).length };
}

/** What is not written through to the disk is found out as well, and sooner. */
const openOver = (driver: typeof overlay2, root: string) =>
  openGraphDriverSnapshotter({ driver, root: join(root, "snapshots"), durability: "none" });

const ofSnapshotter = [...told, ...spoiled, ...measured].map(([title, plant, found]) => {
  const open = async (root: string): Promise<Snapshotter> => {
    const right = await openOver(overlay2, root);
    return { ...right, ...plant(right) };
  };
  return [title, open, found] as const;
});

const ofDriver = laid.map(([title, plant, found]) => {
  const openDriver: typeof overlay2.open = async (options) => {
    const driver = await overlay2.open(options);
    return { ...driver, ...plant(driver) };
  };
  return [title, (root: string) => openOver({ ...overlay2, open: openDriver }, root), found] as const;
});

const faults = [...ofSnapshotter, ...ofDriver];
const abilities = { mounts: true, rebase: true };
const ids = snapshotterChecks.map(({ id }) => id).filter((id) => /^(files|stack|usage|rebase)\//.test(id));

/** A fault that fails otherwise than by what the kit sees or the snapshotter refuses is one of this file. */
const foundBy = (error: unknown) => (error instanceof Error ? error.name : String(error));

test("each of these checks finds a fault", () => {
  const found = new Set(faults.flatMap(([, , checks]) => checks));
  expect(ids.filter((id) => !found.has(id))).toEqual([]);
});

describeWith([needs.root, needs.overlay], "on overlay2", () => {
  test.each(faults)("the kit finds it when %s", async (_, open, found) => {
    await using scratch = await createScratch();
    const only = ids.filter((id) => found.includes(id) || (atNight && id !== "stack/128"));
    const results = await runSnapshotterKit({ open, folder: scratch.path, reuse: true, abilities, only });
    const failed = results.filter(({ outcome }) => outcome === "failed");
    expect(failed.map(({ id, error }) => `${id} ${foundBy(error)}`)).toEqual(
      found.map((id) => expect.stringMatching(`^${id} (AssertionError|CleatError)$`)),
    );
  });

  test("a snapshotter without a fault fails none of these", async () => {
    await using scratch = await createScratch();
    const open = (root: string) => openOver(overlay2, root);
    const results = await runSnapshotterKit({ open, folder: scratch.path, reuse: true, abilities, only: ids });
    expect(results.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual(ids.map((id) => `${id} passed`));
  });
});
