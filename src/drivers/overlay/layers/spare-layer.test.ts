import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { prepareHome, stagingFolder } from "../../../graphdriver/home/folders/home.ts";
import { linksFolder, readLayer } from "../layout/layout.ts";
import { mountSpecOf } from "../mounts/mount-specs.ts";
import { createLayer, type NewLayer } from "./create-layer.ts";
import { dropSpares, sparePath } from "./spare-layer.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(`${tmpdir()}/cleat-spare-`);
  prepareHome(home, 0);
  mkdirSync(`${home}/${linksFolder}`);
  make("base", undefined);
});
afterEach(() => rmSync(home, { recursive: true }));

const owner = { rootUid: process.getuid?.() ?? 0, rootGid: process.getgid?.() ?? 0 };
const mounter = { type: "overlay", switches: ["index=off"], maxLayers: 500 };
const isRoot = process.geteuid?.() === 0;

function make(id: string, parent: string | undefined, options: Partial<NewLayer> = {}) {
  return createLayer(home, { id, parent, durable: true, maxDepth: 128, ...owner, spares: true, mounter, ...options });
}

const staged = () => readdirSync(`${home}/${stagingFolder}`);
const inode = (path: string) => statSync(`${home}/${path}`).ino;

function expectWhole(id: string): void {
  expect(readdirSync(`${home}/${id}`).toSorted()).toEqual(["diff", "link", "lower", "work"]);
  const { link, lowers } = readLayer(home, id);
  expect(lowers).toEqual([`l/${readLayer(home, "base").link}`]);
  expect(inode(`${linksFolder}/${link}`)).toBe(inode(`${id}/diff`));
  const modes = ["", "/diff", "/work", "/link", "/lower"].map((name) => statSync(`${home}/${id}${name}`).mode & 0o7777);
  expect(modes).toEqual([0o710, 0o755, 0o700, 0o644, 0o644]);
}

it("a layer on another is made of the spare that was made behind the one before, and is like it", async () => {
  make("first", "base");
  expect(staged()).toEqual([]); // nobody waits for it
  await nextTurn();
  expect(staged()).toEqual(["spare"]);
  const [spare, long] = [inode(`${sparePath}/diff`), new Date(0)];
  utimesSync(`${home}/${sparePath}/diff`, long, long);
  const beforeMs = Date.now() - 1_000;
  const { mount } = make("second", "base");
  expect(inode("second/diff")).toBe(spare);
  expect(statSync(`${home}/second/diff`).mtimeMs).toBeGreaterThan(beforeMs);
  expect(mount).toEqual(mountSpecOf(home, "second", false, mounter));
  for (const id of ["first", "second"]) expectWhole(id);
  await nextTurn();
  expect(inode(`${sparePath}/diff`)).not.toBe(spare);
});

it("nothing is made of it that has no parent or is not to be, and none is made behind that", async () => {
  make("alone", undefined);
  make("without", "base", { spares: false });
  await nextTurn();
  expect(staged()).toEqual([]);
  expect(readdirSync(`${home}/alone`)).toEqual(["diff", "link"]);
});

it.each<[string, (spare: string) => void]>([
  ["was begun by a thread that died", (spare) => writeFileSync(`${spare}/lower`, "l/AAAA")],
  ["has a damaged link", (spare) => writeFileSync(`${spare}/link`, "l")],
  ["has no link", (spare) => rmSync(`${spare}/link`)],
  ["has lost its root", (spare) => rmSync(`${spare}/diff`, { recursive: true })],
  ["has lost its work folder", (spare) => rmSync(`${spare}/work`, { recursive: true })],
  ["is a file", (spare) => (rmSync(spare, { recursive: true }), writeFileSync(spare, ""))],
  ["leads elsewhere", (spare) => (rmSync(spare, { recursive: true }), symlinkSync("/", spare))],
])("a spare that %s is none, and goes", async (_, spoil) => {
  make("first", "base");
  await nextTurn();
  spoil(`${home}/${sparePath}`);
  for (const id of ["second", "third"]) {
    make(id, "base");
    expectWhole(id);
    await nextTurn();
  }
  expect(staged()).toEqual(["spare"]);
});

it("a layer that cannot be made takes its spare and its link back", async () => {
  make("first", "base");
  await nextTurn();
  const links = readdirSync(`${home}/${linksFolder}`);
  expect(() => make("first", "base")).toThrow(/exists already/);
  expect(staged()).toEqual(["spare"]);
  rmSync(`${home}/${linksFolder}`, { recursive: true });
  writeFileSync(`${home}/${linksFolder}`, "");
  expect(() => make("second", "base")).toThrow();
  expect(existsSync(`${home}/second`)).toBe(false);
  expect(links).toHaveLength(2);
});

it("where none can be made nobody hears of it, and what was left is dropped", async () => {
  make("first", "base");
  rmSync(`${home}/${stagingFolder}`, { recursive: true });
  await nextTurn();
  mkdirSync(`${home}/${stagingFolder}`);
  make("second", "base");
  mkdirSync(`${home}/${stagingFolder}/spare-of-a-thread-that-died`);
  await dropSpares(home); // in the turn in which one is made
  expect(staged()).toEqual([]);
});

it.skipIf(!isRoot)("its root is owned by whom it is to be, made of a spare or not", async () => {
  chownSync(`${home}/base/diff`, 7, 8);
  const ids = (id: string) => [statSync(`${home}/${id}/diff`).uid, statSync(`${home}/${id}/diff`).gid];
  for (const id of ["new", "of a spare"]) {
    make(id, "base", { rootOwner: "as parent" });
    expect(ids(id), id).toEqual([7, 8]);
    make(`${id}, mapped`, "base", { rootOwner: { uid: 100_000, gid: 200_000 } });
    expect(ids(`${id}, mapped`)).toEqual([100_000, 200_000]);
    await nextTurn();
  }
  chownSync(`${home}/${sparePath}/diff`, 7, 8); // of a layer that could not be made, and not be taken back
  make("plain", "base");
  expect(ids("plain")).toEqual([0, 0]);
  expect(readFileSync(`${home}/plain/lower`, "utf8")).toBe(readFileSync(`${home}/new/lower`, "utf8"));
});
