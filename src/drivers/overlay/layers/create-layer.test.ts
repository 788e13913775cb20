import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, it } from "vitest";

import { prepareHome, stagingFolder } from "../../../graphdriver/home/folders/home.ts";
import { createLayer } from "./create-layer.ts";
import { linksFolder } from "../layout/layout.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(`${tmpdir()}/cleat-create-`);
  prepareHome(home, 0);
});
afterEach(() => rmSync(home, { recursive: true }));

const owner = { rootUid: process.getuid?.() ?? 0, rootGid: process.getgid?.() ?? 0 };
const layer = { id: "a", parent: undefined, durable: false, maxDepth: 128, ...owner };

it("tells what it failed with, also where what it has made cannot be taken back, and leaves nothing staged", () => {
  writeFileSync(`${home}/${linksFolder}`, ""); // in which no link can be made, nor looked for
  expect(() => createLayer(home, layer)).toThrow(/symlink/);
  expect(readdirSync(`${home}/${stagingFolder}`)).toEqual([]);
  expect(readdirSync(home)).not.toContain("a");
});

it("makes a layer whose link leads to it", () => {
  mkdirSync(`${home}/${linksFolder}`);
  createLayer(home, layer);
  expect(readdirSync(`${home}/a`)).toEqual(["diff", "link"]);
});
