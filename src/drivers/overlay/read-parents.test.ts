import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { prepareHome } from "../../graphdriver/home/home.ts";
import { createLayer } from "./create-layer.ts";
import { linksFolder } from "./layout.ts";
import { readLayers } from "./read-parents.ts";

let home: string;
beforeEach(() => {
  home = prepareHome(mkdtempSync(join(tmpdir(), "cleat-")), 0);
  mkdirSync(`${home}/${linksFolder}`);
  for (const [id, parent] of [["1"], ["2", "1"], ["3", "2"]] as const)
    createLayer(home, { id, parent, rootUid: 0, rootGid: 0, durable: false, maxDepth: 128 });
});
afterEach(() => rmSync(home, { recursive: true }));

it("lists layers with what they lie on", () => {
  expect(readLayers(home).map(({ id, parent }) => [id, parent])).toEqual([
    ["1", undefined],
    ["2", "1"],
    ["3", "2"],
  ]);
});

it("takes no link for a layer, and no layer whose files are a link: it would show another's", () => {
  renameSync(`${home}/1`, `${home}/elsewhere`);
  symlinkSync("3", `${home}/1`);
  rmSync(`${home}/2/diff`, { recursive: true });
  symlinkSync("/etc", `${home}/2/diff`);
  expect(readLayers(home).map(({ id }) => id)).toEqual(["3", "elsewhere"]);
});
