import { execFileSync } from "node:child_process";
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DescribedLayer, StoreDescription } from "../../layerstore/index.ts";
import { findHomes } from "./find-homes.ts";
import { formatBytes } from "./format-bytes.ts";
import { drawTree, shortId } from "./layer-tree.ts";
import { toJson } from "./layers-report.ts";
import { drawStores } from "./layers-svg.ts";
import { formatStore } from "./layers-table.ts";
import { printableJson } from "../terminal/printable.ts";
import type { CommandContext } from "../terminal/command.ts";
import { boxHeight, boxWidth, placeLayers } from "./tree-layout.ts";
import { writeWhole } from "../terminal/write-whole.ts";

const layer = (id: string, parent?: string, more: Partial<DescribedLayer> = {}): DescribedLayer => ({
  id,
  parent,
  parentage: parent === undefined ? "none" : "known",
  role: "unknown",
  condition: "whole",
  committed: false,
  mounts: [],
  holds: 0,
  names: [],
  orphaned: undefined,
  ...more,
});
const storeOf = (...layers: DescribedLayer[]): StoreDescription => ({
  driver: "overlay2",
  home: "/h",
  layersHold: "diffs",
  engine: undefined,
  layers,
});
const usage = { apparentBytes: 1_500_000, allocatedBytes: 2_000_000, entries: 3, complete: true };

describe("the tree", () => {
  it("keeps a stack in one column, and begins one for each of several", () => {
    const rows = drawTree([layer("a"), layer("b", "a"), layer("c", "b"), layer("d", "b"), layer("e", "c"), layer("x")]);
    expect(rows.map(({ branch, layer: { id } }) => `${branch}${id}`)).toEqual([
      "● a",
      "│ b",
      "├─● c",
      "│ │ e",
      "└─● d",
      "● x",
    ]);
  });

  it("shows layers whose parent is gone, and those that lie on each other in a circle", () => {
    const ids = drawTree([layer("a", "gone"), layer("b", "c"), layer("c", "b")]).map((row) => row.layer.id);
    expect(ids.toSorted()).toEqual(["a", "b", "c"]);
  });

  it("draws a stack of ten thousand layers", () => {
    const stack = Array.from({ length: 10_000 }, (_, at) => layer(`n${at}`, at === 0 ? undefined : `n${at - 1}`));
    expect(drawTree(stack)).toHaveLength(10_000);
  });

  it("shortens Docker's ids and no names", () => {
    const hex = "0123456789abcdef".repeat(4);
    expect([hex, `${hex}-init`, "some-long-name-of-a-layer"].map(shortId)).toEqual([
      "0123456789ab",
      "0123456789ab-init",
      "some-long-name-of-a-layer",
    ]);
  });
});

it("tells sizes in three digits", () => {
  expect([0, 1, 1023, 1024, 1536, 999 * 1024, 999.9 * 1024, 1023 * 1024, 5 * 2 ** 40].map(formatBytes)).toEqual([
    "0 B",
    "1 B",
    "1023 B",
    "1.00 KiB",
    "1.50 KiB",
    "999 KiB",
    "999.9 KiB",
    "1023 KiB",
    "5.00 TiB",
  ]);
});

it("prints a store as a table, with what is mounted and orphaned", () => {
  const mounts = [{ mountPoint: "/h/c/merged", fileSystemType: "overlay", elsewhere: false }];
  const layers = [
    layer("base", undefined, { committed: true, role: "image", names: ["box:latest"] }),
    layer("c", "base", { mounts, holds: 2, role: "container" }),
    layer("lost", undefined, { orphaned: "unknown-to-engine" }),
  ];
  const counted = new Map([["base", usage]]);
  expect(formatStore({ store: storeOf(...layers), usage: counted }, true)).toEqual([
    "overlay2 at /h: 3 layers, 1 mounted, 1 orphaned",
    "LAYER   ROLE       STATE             MOUNTED  SIZE      ON DISK   NAMES",
    "● base  image      read-only         -        1.43 MiB  1.91 MiB  box:latest",
    "│ c     container  -                 held 2×  -         -",
    "● lost  unknown    orphaned: engine  -        -         -",
    "total 1.43 MiB, 1.91 MiB on disk, 3 entries",
  ]);
  expect(formatStore({ store: storeOf(...layers), usage: undefined }, false).join("\n")).toContain("at /h/c/merged");
});

it("tells which layers cannot be read, and what was seen of them", () => {
  const problem = "EIO: i/o error, openat 'c/lower'";
  const told = [layer("a"), layer("c", undefined, { parentage: "unknown", condition: "unreadable", problem })];
  const report = { store: storeOf(...told), usage: undefined };
  expect(formatStore(report, true)).toEqual([
    "overlay2 at /h: 2 layers, 1 unreadable",
    "LAYER  ROLE     STATE       MOUNTED  NAMES",
    "● a    unknown  -           -",
    "● c    unknown  unreadable  -",
    `unreadable c: ${problem}`,
    "cleat fsck says more of these, and what to do",
  ]);
  expect(JSON.parse(printableJson(toJson([report])))).toMatchObject({
    stores: [{ layers: [{ problem: null }, { condition: "unreadable", problem }] }],
  });
});

it("obeys nothing that a store holds", () => {
  const hostile = layer("x", undefined, { names: ["\u001B[2J\u202E<b>&\uFFFF"] });
  const report = { store: { ...storeOf(hostile), home: "/h/\u001B]0;x\u0007<script>" }, usage: undefined };
  for (const text of [formatStore(report, true).join(""), printableJson(toJson([report])), drawStores([report])]) {
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
  expect(drawStores([report])).not.toMatch(/<script|<b>|&(?!amp;|lt;|gt;|quot;)|\uFFFF/);
});

describe("the picture", () => {
  const images = Array.from({ length: 40 }, (_, image) =>
    Array.from({ length: 25 }, (_unused, at) =>
      layer(`${image}-${at}`, at === 0 ? undefined : `${image}-${at < 15 ? at - 1 : 14}`),
    ),
  ).flat();

  it("has a box for each of a thousand layers, none on another", () => {
    const { placed, width, height } = placeLayers(images);
    expect(placed).toHaveLength(1000);
    const overlaps = placed.filter((one, at) =>
      placed.slice(at + 1).some(({ x, y }) => Math.abs(x - one.x) < boxWidth && Math.abs(y - one.y) < boxHeight),
    );
    expect(overlaps).toEqual([]);
    expect(Math.max(width / height, height / width)).toBeLessThan(3);
    for (const { x, y } of placed)
      expect(x + boxWidth <= width && y + boxHeight <= height && x >= 0 && y >= 0).toBe(true);
  });

  it("is as wide as its title, which has 9.6 pixels a character in DejaVu Sans", () => {
    const svg = drawStores([{ store: { ...storeOf(layer("a")), home: `/${"home/".repeat(20)}` }, usage: undefined }]);
    const [, title = ""] = /class="title"[^>]*>([^<]*)</.exec(svg) ?? [];
    const [, width = 0] = /<svg [^>]*width="(\d+)"/.exec(svg) ?? [];
    expect(title.length).toBeGreaterThan(100);
    expect(Number(width)).toBeGreaterThan(title.length * 9.6 + 2 * 24);
  });

  it("is a document whose elements all end", () => {
    const open: string[] = [];
    const svg = drawStores([{ store: storeOf(...images), usage: new Map([["0-0", usage]]) }]);
    for (const [, end, name, empty] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
      if (end === "/") expect(open.pop()).toBe(name);
      else if (empty !== "/") open.push(name as string);
    }
    expect(open).toEqual([]);
    expect(svg.match(/<title>/g)).toHaveLength(1000);
    expect(svg).toContain(">1.43 MiB<");
  });
});

describe("files", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cleat-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("are written whole, and a folder in the way is left alone", async () => {
    await writeWhole(join(folder, "x.svg"), "one");
    await writeWhole(join(folder, "x.svg"), "two");
    expect(await readFile(join(folder, "x.svg"), "utf8")).toBe("two");
    await mkdir(join(folder, "taken"));
    await expect(writeWhole(join(folder, "taken"), "x")).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    expect((await readdir(folder)).toSorted()).toEqual(["taken", "x.svg"]);
  });

  it("are written through symlinks, and put in the place of no device", async () => {
    for (const [name, target] of [
      ["null", "/dev/null"],
      ["link", "x.svg"],
    ] as const) {
      await symlink(target, join(folder, name));
    }
    await writeFile(join(folder, "x.svg"), "old");
    for (const name of ["null", "link"]) {
      await writeWhole(join(folder, name), "new");
      expect((await lstat(join(folder, name))).isSymbolicLink()).toBe(true);
    }
    expect(await readFile(join(folder, "x.svg"), "utf8")).toBe("new");
    expect((await readdir(folder)).toSorted()).toEqual(["link", "null", "x.svg"]);
  });

  it("tell where stores are: of Cleat's own roots, of engines, and in a data root", async () => {
    const context = { env: { XDG_DATA_HOME: folder }, uid: 1000 } as unknown as CommandContext;
    const homes = ["cleat/layers/mine/dir", "docker/cleat/l", "docker/vfs/dir", "docker/containers", "elsewhere/dir"];
    const snapshotter = "containerd/io.containerd.snapshotter.v1.cleat";
    for (const path of [...homes, `${snapshotter}/l`]) await mkdir(join(folder, path), { recursive: true });
    await mkdir(join(folder, "cleat/state"));
    const init = { Home: join(folder, "docker/cleat"), Opts: [], UIDMaps: [], GIDMaps: [] };
    await writeFile(join(folder, "cleat/state/cleat.json"), JSON.stringify({ version: 1, init }));
    const moved = { version: 1, init, home: join(folder, "elsewhere"), released: true };
    await writeFile(join(folder, "cleat/state/moved.json"), JSON.stringify(moved));
    await writeFile(join(folder, "cleat/state/damaged.json"), "{");
    await mkdir(join(folder, "cleat/state/folder.json"));
    await symlink("loop.json", join(folder, "cleat/state/loop.json"));
    execFileSync("mkfifo", [join(folder, "cleat/state/fifo.json")]);
    const found = async (named?: string, driver?: string) =>
      (await findHomes(named, driver, context)).map((home) => home.slice(folder.length + 1));
    expect(await found()).toEqual(["cleat/layers/mine", snapshotter, "docker/cleat", "elsewhere"]);
    expect(await found(join(folder, "docker"))).toEqual(["docker/cleat", "docker/vfs"]);
    expect(await found(join(folder, "docker/vfs"))).toEqual(["docker/vfs"]);
    expect(await found(join(folder, "docker/containers"), "vfs")).toEqual(["docker/containers"]);
    await expect(found(join(folder, "docker/containers"))).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
