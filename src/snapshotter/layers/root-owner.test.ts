import { chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import type * as promises from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { giveRootItsOwner } from "./root-owner.ts";

/** What was flushed, with the owner that it had then. */
const flushed = vi.hoisted((): { path: string; uid: number }[] => []);
vi.mock("node:fs/promises", async (importOriginal) => {
  const original = await importOriginal<typeof promises>();
  const open: typeof original.open = async (path, ...rest) => {
    const file = await original.open(path, ...rest);
    const sync = file.sync.bind(file);
    file.sync = async () => {
      flushed.push({ path: String(path), uid: lstatSync(String(path)).uid });
      await sync();
    };
    return file;
  };
  return { ...original, open };
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cleat-owner-"));
  for (const name of ["upper", "lower"]) mkdirSync(join(folder, name));
  flushed.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

const mount = () => {
  const options = [`upperdir=${join(folder, "upper")}`, `lowerdir=${join(folder, "lower")}:/none`];
  return { type: "overlay", source: "overlay", options };
};
const remap = { uids: "0:100000:65536", gids: "0:200000:65536" };
const isRoot = process.geteuid?.() === 0;

it("an owner that is the parent's already costs no flush", async () => {
  await giveRootItsOwner(mount(), undefined, true);
  expect(flushed).toEqual([]);
});

it.skipIf(!isRoot)("the parent's owner is flushed with a layer that has been", async () => {
  chownSync(join(folder, "lower"), 7, 8);
  await giveRootItsOwner(mount(), undefined, true);
  expect(flushed).toEqual([{ path: join(folder, "upper"), uid: 7 }]);
  expect(lstatSync(join(folder, "upper"))).toMatchObject({ uid: 7, gid: 8 });
});

it.skipIf(!isRoot)("so is root of the mapped ids, and neither where nothing is to be durable", async () => {
  await giveRootItsOwner(mount(), remap, true);
  expect(flushed).toEqual([{ path: join(folder, "upper"), uid: 100000 }]);
  await giveRootItsOwner(mount(), undefined, false);
  expect(flushed).toHaveLength(1);
  expect(lstatSync(join(folder, "upper")).uid).toBe(process.getuid?.());
});
