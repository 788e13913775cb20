import * as fs from "node:fs";
import { beforeEach, expect, it } from "vitest";

import { useScratch } from "../tree/trees.test.support.ts";
import { withFolderAt } from "../tree/with-folder.ts";
import type { LowerFolders } from "./lower-folders.ts";
import { createMergedFolders, type MergedFolders } from "./merged-folders.ts";

const scratch = useScratch();
let asked: string[];
beforeEach(() => {
  asked = [];
});

/** One layer below, which has every folder, and notes how it is asked. */
const lowers: LowerFolders = {
  all: ["lower"],
  follow(shown, from, names) {
    asked.push(`${names.join("/")} from ${from}`);
    return names.map(() => ({ shown, maybeMore: false, folder: undefined }));
  },
  readRedirected: () => undefined,
  rootNames: () => new Set(),
};

function withMerged(visit: (merged: MergedFolders) => void): void {
  withFolderAt(scratch.path(), (root) => visit(createMergedFolders(root, lowers, "trusted.")));
}

it("look at each folder on the way once, whatever changed elsewhere", () => {
  withMerged((merged) => {
    expect(merged.isMerged("a/b/c")).toBe(true);
    merged.changed("other/folder");
    expect(["a/b/c", "a/b", "a", "a/b/d"].map((path) => merged.isMerged(path))).toEqual([true, true, true, true]);
    expect(asked).toEqual(["a/b/c from ", "d from a/b"]);
  });
});

it("look again at and below a folder that changed, and see nothing below what the layer has instead", () => {
  withMerged((merged) => {
    expect(merged.isMerged("a/b/c/d")).toBe(true);
    fs.mkdirSync(scratch.path("a"));
    fs.writeFileSync(scratch.path("a/b"), "");
    merged.changed("a/b");
    expect(["a/b/c/d", "a/b/c", "a/b", "a"].map((path) => merged.isMerged(path))).toEqual([false, false, false, true]);
    expect(asked).toEqual(["a/b/c/d from ", " from a"]);
    merged.hideAll();
    expect(merged.isMerged("a")).toBe(false);
  });
});
