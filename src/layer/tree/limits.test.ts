import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { joinPath } from "../entry/entry-name.ts";
import { removeTree } from "./remove-tree.ts";
import { apply, archiveOf, failureOf, useScratch } from "./trees.test.support.ts";
import { treeSize } from "../usage/tree-size.ts";
import { withFolderAt } from "./with-folder.ts";

/** What a hostile layer or container makes as large as it can. */
describe("limits", () => {
  const scratch = useScratch();

  it("of a path are the kernel's", () => {
    expect(joinPath("a".repeat(4000), "b".repeat(94))).toHaveLength(4095);
    expect(() => joinPath("a".repeat(4000), "b".repeat(95))).toThrow(/longer than 4095 bytes/);
  });

  it("do not keep a folder of many names from being removed", () => {
    const folder = scratch.path("many");
    fs.mkdirSync(folder);
    for (let index = 0; index < 6000; index++) fs.writeFileSync(join(folder, `a-name-of-some-length-${index}`), "");
    withFolderAt(scratch.path(), (parent) => removeTree(parent, "many"));
    expect(fs.existsSync(folder)).toBe(false);
  });

  it("keep the size of folders without end from being taken", () => {
    let path = scratch.path("deep");
    fs.mkdirSync(path);
    const cwd = process.cwd();
    try {
      process.chdir(path);
      const name = "d".repeat(255);
      for (let depth = 0; depth < 20; depth++) {
        fs.mkdirSync(name);
        process.chdir(name);
      }
    } finally {
      process.chdir(cwd);
    }
    path = scratch.path("deep");
    expect(() => withFolderAt(path, treeSize)).toThrow(/longer than 4095 bytes/);
    withFolderAt(scratch.path(), (parent) => removeTree(parent, "deep"));
    expect(fs.existsSync(path)).toBe(false);
  });

  it("hide names far below at the price of a step for each folder on the way", () => {
    const root = scratch.path("root");
    fs.mkdirSync(root);
    const deep = Array.from({ length: 1500 }, () => "a").join("/");
    const way = { name: "way", type: "symlink", linkName: deep } as const;
    apply(root, archiveOf({ name: `${deep}/f` }, way));
    const opaque = { name: "other/.wh..wh..opq" };
    const hidden = Array.from({ length: 1500 }, (_, index) => ({ name: `way/.wh.${index}` }));
    const before = process.cpuUsage();
    apply(root, archiveOf(opaque, ...hidden));
    expect(process.cpuUsage(before).user).toBeLessThan(2_500_000);
  });

  it("replace many files without a look at every folder", () => {
    const root = scratch.path("root");
    fs.mkdirSync(root);
    const names = Array.from({ length: 300 }, (_, index) => `n${index}`);
    const first = names.map((name) => ({ name: `d-${name}/`, type: "directory" as const }));
    const files = [...names, ...names].map((name) => ({ name, content: "x" }));
    apply(root, archiveOf(...first, ...files));
    expect(fs.readdirSync(root)).toHaveLength(600);
    expect(failureOf(() => apply(root, archiveOf({ name: "../x" })))).toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});
