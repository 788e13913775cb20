import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { prepareHome } from "../../graphdriver/home/folders/home.ts";
import { createLayer } from "./create-layer.ts";
import { exactDiffsFolder, fillingFolder, layersFolder, unfilledFolder } from "./layout.ts";
import { checkStore, removeLayer, repairStore, usageOfLayer } from "./store-jobs.ts";
import { surveyStore } from "./survey.ts";

let home: string;
const at = (path: string): string => `${home}/${path}`;
const owner = { rootUid: process.getuid?.() ?? 0, rootGid: process.getgid?.() ?? 0, durable: false };
const kinds = () => checkStore(home).map(({ kind }) => kind);

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "cleat-"));
  prepareHome(home, 0);
  for (const folder of [layersFolder, unfilledFolder, fillingFolder, exactDiffsFolder]) mkdirSync(at(folder));
  createLayer(home, { id: "base", parent: undefined, ...owner });
  rmSync(at(`${unfilledFolder}/base`));
  writeFileSync(at("dir/base/file"), "base");
  createLayer(home, { id: "top", parent: "base", ...owner });
});
afterEach(() => rmSync(home, { recursive: true }));

/** As it is when a process dies in the middle of an `applyDiff`. */
function dieWhileFilling(): void {
  renameSync(at(`${unfilledFolder}/top`), at(`${fillingFolder}/top`));
  writeFileSync(at("dir/top/half"), "");
}

it("finds nothing in a store that is sound", () => {
  expect(checkStore(home)).toEqual([]);
});

describe("what is mended", () => {
  it.each<[string, string, () => void]>([
    ["a layer that was being filled", "filling-left", dieWhileFilling],
    ["a note on a layer that is gone", "mark-left", () => writeFileSync(at(`${unfilledFolder}/gone`), "base")],
    ["a fill of a layer that is gone", "mark-left", () => writeFileSync(at(`${fillingFolder}/gone`), "")],
    ["the archive of a layer that is gone", "mark-left", () => mkdirSync(at(`${exactDiffsFolder}/gone`))],
    ["something staged", "staged-left", () => mkdirSync(at(".cleat/staging/x/deep"), { recursive: true })],
    ["something trashed", "trash-left", () => symlinkSync("/etc", at(".cleat/trash/x"))],
  ])("%s", (_, kind, harm) => {
    harm();
    expect(kinds()).toEqual([kind]);
    expect(repairStore(home)).toMatchObject({ repaired: [{ kind }], left: [] });
    expect(checkStore(home)).toEqual([]);
    expect(existsSync(at("dir/top/half"))).toBe(false);
    expect(readFileSync(at("dir/top/file"), "utf8")).toBe("base");
    expect(existsSync("/etc")).toBe(true);
  });
});

describe("what is left alone", () => {
  it.each<[string, string, () => void]>([
    ["a file among the layers", "stray", () => writeFileSync(at("dir/notes"), "")],
    ["a symlink among the layers", "stray", () => symlinkSync("/etc", at("dir/escape"))],
    ["a layer whose parent went while it was filled", "filling-left", losingParent],
    ["a folder of layers that is a symlink", "own-folder-wrong", () => linkAway(fillingFolder)],
  ])("%s", (_, kind, harm) => {
    harm();
    expect(repairStore(home)).toMatchObject({ repaired: [], left: [{ kind }] });
    expect(kinds()).toEqual([kind]);
  });

  function losingParent(): void {
    dieWhileFilling();
    removeLayer(home, "base");
  }

  function linkAway(path: string): void {
    rmSync(at(path), { recursive: true });
    symlinkSync("/etc", at(path));
  }
});

it("surveys what it can know of copies", () => {
  const { layers, layersHold } = surveyStore(home, "vfs");
  expect(layersHold).toBe("trees");
  expect(layers.map(({ id, parent, parentage, condition }) => [id, parent, parentage, condition])).toEqual([
    ["base", undefined, "none", "whole"],
    ["top", "base", "known", "unfilled"],
  ]);
  expect(usageOfLayer(home, "top")).toMatchObject({ apparentBytes: 4, entries: 2 });
  expect(usageOfLayer(home, "gone")).toBe(undefined);
});
