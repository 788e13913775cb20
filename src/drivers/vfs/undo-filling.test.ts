import { execFileSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { prepareHome } from "../../graphdriver/home/folders/home.ts";
import { createLayer, discardLayer } from "./create-layer.ts";
import { sweepStore, undoFilling } from "./apply-diff.ts";
import { exactDiffsFolder, fillingFolder, layersFolder, unfilledFolder } from "./layout.ts";

let home: string;
const at = (path: string): string => `${home}/${path}`;
const ids = [process.getuid?.() ?? 0, process.getgid?.() ?? 0] as const;
const [rootUid, rootGid] = ids;

/** A layer on `base` whose diff failed, and could not be undone, as on a full disk. */
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "cleat-"));
  prepareHome(home, 0);
  for (const folder of [layersFolder, unfilledFolder, fillingFolder, exactDiffsFolder]) mkdirSync(at(folder));
  createLayer(home, { id: "base", parent: undefined, rootUid, rootGid, durable: false });
  writeFileSync(at("dir/base/file"), "base");
  createLayer(home, { id: "top", parent: "base", rootUid, rootGid, durable: false });
  renameSync(at(`${unfilledFolder}/top`), at(`${fillingFolder}/top`));
  writeFileSync(at("dir/top/half"), "");
});
afterEach(() => rmSync(home, { recursive: true }));

it("makes the layer what it was, once and again", () => {
  undoFilling(home, "top", ...ids);
  undoFilling(home, "top", ...ids);
  expect(readdirSync(at("dir/top"))).toEqual(["file"]);
  expect(readdirSync(at(unfilledFolder))).toContain("top");
});

it("takes a mark away that a power loss has left in both folders, as two names of one file", () => {
  linkSync(at(`${fillingFolder}/top`), at(`${unfilledFolder}/top`));
  undoFilling(home, "top", ...ids);
  expect(readdirSync(at(fillingFolder))).toEqual([]);
  expect(readdirSync(at(unfilledFolder))).toContain("top");
});

it("says of a layer whose parent is gone that it is half made, and start-up does not take it for whole", () => {
  rmSync(at("dir/base"), { recursive: true });
  const refused = expect.objectContaining({
    code: "FAILED_PRECONDITION",
    message: expect.stringMatching(/^layer "top" is half made.*"base"/),
  });
  expect(() => undoFilling(home, "top", ...ids)).toThrow(refused);
  sweepStore(home);
  expect(() => undoFilling(home, "top", ...ids)).toThrow(refused);
});

const marks: readonly (readonly [string, (mark: string) => void])[] = [
  ["a symlink to itself", (mark) => symlinkSync("top", mark)],
  ["a symlink to an empty file", (mark) => symlinkSync(at("empty"), mark)],
  ["a folder", (mark) => mkdirSync(mark)],
  ["a FIFO", (mark) => execFileSync("mkfifo", [mark])],
  ["empty, though the layer was made on another", (mark) => writeFileSync(mark, "")],
  ["no name of a layer", (mark) => writeFileSync(mark, Buffer.alloc(4))],
];
it.each(marks)("empties no layer whose mark is %s", (_, make) => {
  const mark = at(`${fillingFolder}/top`);
  writeFileSync(at("empty"), "");
  rmSync(mark);
  make(mark);
  const code = "DATA_LOSS";
  const message = expect.stringMatching(/^layer "top" is half made.*"\.cleat\/filling\/top"/);
  expect(() => undoFilling(home, "top", ...ids)).toThrow(expect.objectContaining({ code, message }));
  expect(readdirSync(at("dir/top"))).toEqual(["file", "half"]);
  rmSync(at("dir/top"), { recursive: true });
  undoFilling(home, "top", ...ids);
  expect(readdirSync(at(fillingFolder))).toEqual([]);
});

it("takes no new layer for half made that has the name of one whose mark could not be removed", () => {
  rmSync(at("dir/top"), { recursive: true });
  createLayer(home, { id: "top", parent: undefined, rootUid, rootGid, durable: false });
  writeFileSync(at("dir/top/own"), "");
  undoFilling(home, "top", ...ids);
  expect(readdirSync(at("dir/top"))).toEqual(["own"]);
});

it("removes what tells of a layer, also of one whose files are gone", () => {
  rmSync(at("dir/top"), { recursive: true });
  discardLayer(home, "top");
  expect(readdirSync(at(fillingFolder))).toEqual([]);
});

it("forgets a layer that is gone", () => {
  rmSync(at("dir/top"), { recursive: true });
  sweepStore(home);
  expect(existsSync(at(`${fillingFolder}/top`))).toBe(false);
});
