/**
 * What cannot be looked at is not gone: a disk that fails for a moment must cost no mark and no layer. A symlink that
 * leads to itself stands for it here, since of all that is below it the kernel says ELOOP, to root, too.
 */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readExactDiff } from "../graphdriver/job-kit.ts";
import { ensureCleanFolder, type OpenHome, prepareHome } from "../graphdriver/kit.ts";
import * as overlay from "./overlay/layers/create-layer.ts";
import { sweepStore as sweepOverlay } from "./overlay/diffs/layer-diff.ts";
import { linksFolder } from "./overlay/layout/layout.ts";
import { mountSpecOf } from "./overlay/mounts/mount-specs.ts";
import { sweepStore as sweepVfs, undoFilling } from "./vfs/apply-diff.ts";
import * as vfs from "./vfs/create-layer.ts";
import { exactDiffsFolder, fillingFolder, layersFolder, unfilledFolder } from "./vfs/layout.ts";
import { createWholeLayers } from "./vfs/whole-layers.ts";

let home: string;
const at = (path: string): string => `${home}/${path}`;
const owner = { rootUid: process.geteuid?.() ?? 0, rootGid: process.getegid?.() ?? 0 };
const cannotTell = expect.objectContaining({ code: "ELOOP" });

/** From here on nothing can be told of what lies at the path, until `show`. */
function hide(path: string): { show(): void } {
  renameSync(at(path), at(`${path}.hidden`));
  symlinkSync("loop", at("loop"));
  symlinkSync(at("loop"), at(path));
  return {
    show() {
      rmSync(at(path));
      rmSync(at("loop"));
      renameSync(at(`${path}.hidden`), at(path));
    },
  };
}

beforeEach(() => void (home = prepareHome(mkdtempSync(join(tmpdir(), "cleat-")), 0)));
afterEach(() => rmSync(home, { recursive: true }));

describe("of vfs", () => {
  const layer = (id: string, parent?: string) => ({ id, parent, durable: false, ...owner });

  beforeEach(() => {
    for (const folder of [layersFolder, unfilledFolder, fillingFolder, exactDiffsFolder]) mkdirSync(at(folder));
    vfs.createLayer(home, layer("base"));
    vfs.createLayer(home, layer("top", "base"));
    renameSync(at(`${unfilledFolder}/top`), at(`${fillingFolder}/top`));
    mkdirSync(at(`${exactDiffsFolder}/base`));
  });

  const marks = () =>
    [unfilledFolder, fillingFolder, exactDiffsFolder, ".cleat/layers"].map((one) => readdirSync(at(one)));

  it.each([
    ["undoing a diff", () => undoFilling(home, "top", owner.rootUid, owner.rootGid)],
    ["a removal", () => vfs.discardLayer(home, "top")],
    ["a layer of that name", () => vfs.createLayer(home, layer("base"))],
  ])("costs %s no mark", (_, act) => {
    const before = marks();
    const hidden = hide(layersFolder);
    expect(act).toThrow(cannotTell);
    hidden.show();
    expect(marks()).toEqual(before);
  });

  it("costs a sweep no mark", () => {
    const before = marks();
    const hidden = hide(layersFolder);
    sweepVfs(home);
    hidden.show();
    expect(marks()).toEqual(before);
  });

  it("shows no layer whose mark cannot be looked at", () => {
    const { undoFilling: undo } = createWholeLayers({ path: home } as OpenHome, { url: "none:" } as never);
    hide(fillingFolder);
    expect(() => undoFilling(home, "top", owner.rootUid, owner.rootGid)).toThrow(cannotTell);
    return expect(undo("top", undefined)).rejects.toEqual(cannotTell);
  });
});

describe("of overlay's layout", () => {
  const layer = (id: string, parent?: string) => ({ id, parent, durable: false, maxDepth: 128, ...owner });

  beforeEach(() => {
    ensureCleanFolder(at(linksFolder), 0o700);
    overlay.createLayer(home, layer("base"));
    overlay.createLayer(home, layer("top", "base"));
  });

  it("costs a sweep no link", () => {
    const before = readdirSync(at(linksFolder));
    const hidden = hide("base");
    sweepOverlay(home);
    hidden.show();
    expect(readdirSync(at(linksFolder))).toEqual(before);
  });

  it("lets no layer be written to on which others may lie", () => {
    const mounter = { type: "overlay", switches: [], maxLayers: 500 };
    rmSync(at("base/committed"));
    symlinkSync("committed", at("base/committed"));
    expect(() => mountSpecOf(home, "base", false, mounter)).toThrow(
      expect.objectContaining({ code: "FAILED_PRECONDITION" }),
    );
  });

  it("takes no archive's record for that of a tree that may not have come", () => {
    mkdirSync(at("base/exact"));
    mkdirSync(at(".cleat/staging/tree"));
    const record = { version: 1, parent: null, archiveBytes: 1024, staged: ".cleat/staging/tree" };
    writeFileSync(at("base/exact/record.json"), JSON.stringify(record));
    expect(readExactDiff(home, "base/exact")).toBe(undefined);
    hide(".cleat/staging");
    expect(() => readExactDiff(home, "base/exact")).toThrow(cannotTell);
  });
});
