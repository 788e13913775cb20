/** Means to get one thing wrong in a snapshotter, or in the graph driver below it. */
import * as fs from "node:fs";
import { join, relative } from "node:path";

import type { GraphDriver, MountSpec } from "cleat/graphdriver";
import type { Mount, Snapshotter, Usage } from "cleat/snapshotter";

/** The methods that are wrong, of a subject whose own are right. */
export type Plant<Subject> = (right: Subject) => Partial<Subject>;

export function changingMounts(change: (mount: Mount) => Mount): Plant<Snapshotter> {
  return (right) => ({
    prepare: async (key, options) => (await right.prepare(key, options)).map(change),
    view: async (key, options) => (await right.view(key, options)).map(change),
    mounts: async (key) => (await right.mounts(key)).map(change),
  });
}

const lowerdir = "lowerdir=";

export function changingLowers(mount: Mount, change: (lowers: string[]) => string[]): Mount {
  const lowers = lowersOf(mount);
  if (lowers === undefined) return mount;
  const others = mount.options.filter((option) => !option.startsWith(lowerdir));
  return { ...mount, options: [...others, lowerdir + change(lowers).join(":")] };
}

export function lowersOf(mount: MountSpec | undefined): string[] | undefined {
  const option = mount?.options.find((one) => one.startsWith(lowerdir));
  return option?.slice(lowerdir.length).split(":");
}

/** Where what is written through a mount goes. */
export function upperOf([mount]: readonly MountSpec[]): string {
  const option = mount?.options.find((one) => one.startsWith("upperdir="));
  const path = option?.slice("upperdir=".length) ?? mount?.source;
  if (path === undefined) throw new Error("a snapshot has no mount");
  return path;
}

export async function mountsOf(driver: GraphDriver, id: string, readOnly = false): Promise<readonly MountSpec[]> {
  if (driver.mounts === undefined) throw new Error(`${driver.name} tells no mounts`);
  return driver.mounts(id, { readOnly });
}

/** Does something to the root of each snapshot when that is made. */
export function onPrepare(spoil: (upper: string) => void): Plant<Snapshotter> {
  return (right) => ({
    async prepare(key, options) {
      const mounts = await right.prepare(key, options);
      spoil(upperOf(mounts));
      return mounts;
    },
  });
}

/**
 * Does something to each file of a snapshot, its root among them, before that is committed; `below` is where its parent
 * has it.
 */
export function onCommit(spoil: (path: string, below: string) => unknown): Plant<Snapshotter> {
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
export function beforeRebase(spoil: (path: string, isRoot: boolean) => unknown): Plant<GraphDriver> {
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

export const isFolder = (path: string) => fs.existsSync(path) && fs.lstatSync(path).isDirectory();

export function isWhiteout(path: string): boolean {
  const stat = fs.lstatSync(path);
  return stat.isCharacterDevice() && stat.rdev === 0;
}

/** Adds up over all names of a layer, folders aside, what each is told to count. */
export async function sumOf(
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
