import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

import { createMovedFolders } from "./moved-folders.ts";

let root: string;
let descriptor: number;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "moved-folders-"));
  mkdirSync(`${root}/a/b/c`, { recursive: true });
  mkdirSync(`${root}/ab`);
  descriptor = openSync(root, "r");
});
afterEach(() => {
  closeSync(descriptor);
  rmSync(root, { recursive: true });
});

function moved(changed: readonly string[], paths: readonly string[], exchangesSilently = false): string[] {
  const inodes = new Set(changed.map((path) => statSync(`${root}/${path}`).ino));
  const folders = createMovedFolders(descriptor, {
    isChanged: ({ inode }) => inodes.has(Number(inode)),
    exchangesSilently,
  });
  return paths.filter((path) => folders.mayHaveMoved(path));
}

const all = ["", "a", "a/b", "a/b/c", "ab", "a/b", "a"];

it.each([
  ["nothing was touched", [], []],
  ["names were added to one", ["a/b"], []],
  ["names were added to one and to one in it", ["a", "a/b"], ["a/b", "a/b/c", "a/b"]],
  ["names were added to the root and to one in it", ["", "ab"], ["ab"]],
  ["names were added to the root and far below it", ["", "a/b"], []],
  ["one right below the root was moved", ["", "a"], ["a", "a/b", "a/b/c", "a/b", "a"]],
  ["the deepest was moved", ["a/b", "a/b/c"], ["a/b/c"]],
])("folders may have moved where %s", (_, changed, expected) => {
  expect(moved(changed, all)).toEqual(expected);
});

it("where an exchange leaves no mark on them, those in a folder that was touched may have moved", () => {
  expect(moved(["a"], all, true)).toEqual(["a/b", "a/b/c", "a/b"]);
  expect(moved(["a/b/c"], all, true)).toEqual([]);
});

it("of what is not there nothing is known", () => {
  expect(moved([""], ["gone", "gone/deeper", "a"])).toEqual(["gone", "gone/deeper"]);
});
