import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { SystemError } from "../../../errors/index.ts";
import type * as syscalls from "../../../syscall/index.ts";
import { prepareHome } from "../../../graphdriver/home/folders/home.ts";
import { createLayer } from "../layers/create-layer.ts";
import { linksFolder } from "./layout.ts";
import { readLayers, readParents } from "./read-parents.ts";

/** What the kernel says of every file that is to be opened, while it is not 0, and at what it may not be looked. */
const refusal = vi.hoisted(() => ({ errno: 0, look: "none" }));
vi.mock("../../../syscall/index.ts", async (importOriginal) => {
  const original = await importOriginal<typeof syscalls>();
  const tryOpenat: typeof original.tryOpenat = (...args) => (refusal.errno === 0 ? original.tryOpenat(...args) : -1);
  const isThere: typeof original.isThere = (path) => {
    if (String(path).endsWith(refusal.look)) throw new SystemError(constants.errno.EIO, "statx", path);
    return original.isThere(path);
  };
  return { ...original, isThere, tryOpenat, lastErrno: () => refusal.errno || original.lastErrno() };
});

let home: string;
beforeEach(() => {
  home = prepareHome(mkdtempSync(join(tmpdir(), "cleat-")), 0);
  mkdirSync(`${home}/${linksFolder}`);
  for (const [id, parent] of [["1"], ["2", "1"], ["3", "2"]] as const)
    createLayer(home, { id, parent, rootUid: 0, rootGid: 0, durable: false, maxDepth: 128 });
});
afterEach(() => {
  Object.assign(refusal, { errno: 0, look: "none" });
  rmSync(home, { recursive: true });
});

it("lists layers with what they lie on", () => {
  expect(readLayers(home).map(({ id, parent }) => [id, parent])).toEqual([
    ["1", undefined],
    ["2", "1"],
    ["3", "2"],
  ]);
});

it.each(["EMFILE", "ENFILE", "ENOMEM"] as const)("takes none for a layer without a parent for %s", (code) => {
  refusal.errno = constants.errno[code];
  expect(() => readParents(home)).toThrow(expect.objectContaining({ code }));
});

it("tells of a layer at whose link it cannot look, rather than that it is not there", () => {
  refusal.look = "/2/link";
  const layers = readLayers(home);
  expect(layers.map(({ id, parent }) => [id, parent])).toEqual([
    ["1", undefined],
    ["2", "1"],
    ["3", "2"],
  ]);
  expect(layers.map(({ unreadable }) => unreadable?.split(":")[0])).toEqual([undefined, "EIO", undefined]);
});

it("knows of a layer whose list cannot be read now that it may lie on another", () => {
  refusal.errno = constants.errno.EIO;
  expect(readParents(home)).toEqual(["1", "2", "3"].map((id) => [id, undefined]));
  expect(readLayers(home).map(({ unreadable }) => unreadable !== undefined)).toEqual([true, true, true]);
  refusal.errno = constants.errno.ENOENT;
  expect(readParents(home)).toEqual([]);
});

it("takes no link for a layer, and no layer whose files are a link: it would show another's", () => {
  renameSync(`${home}/1`, `${home}/elsewhere`);
  symlinkSync("3", `${home}/1`);
  rmSync(`${home}/2/diff`, { recursive: true });
  symlinkSync("/etc", `${home}/2/diff`);
  expect(readLayers(home).map(({ id }) => id)).toEqual(["3", "elsewhere"]);
});

const misfits = () => Object.fromEntries(readLayers(home).map(({ id, misfit }) => [id, misfit]));

it("tells of layers that were swapped by hand", () => {
  createLayer(home, { id: "4", parent: "1", rootUid: 0, rootGid: 0, durable: false, maxDepth: 128 });
  expect(misfits()).toEqual({ 1: undefined, 2: undefined, 3: undefined, 4: undefined });
  renameSync(`${home}/2`, `${home}/spare`);
  renameSync(`${home}/4`, `${home}/2`);
  renameSync(`${home}/spare`, `${home}/4`);
  expect(misfits()).toMatchObject({
    1: undefined,
    2: 'its link leads to "../4/diff"',
    4: 'its link leads to "../2/diff"',
  });
});

it("tells of a layer that lies on more than its parent does", () => {
  appendFileSync(`${home}/2/lower`, ":l/MORE");
  expect(misfits()).toEqual({
    1: undefined,
    2: 'it lies on layer "1", but not on the layers that "1" lies on',
    3: 'it lies on layer "2", but not on the layers that "2" lies on',
  });
});
