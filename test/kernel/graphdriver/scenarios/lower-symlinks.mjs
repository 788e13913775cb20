/** What becomes of an entry below a symlink that lower layers have: the table of docs/graph-drivers.md. */
import assert from "node:assert/strict";
import { lstatSync, readFileSync } from "node:fs";

import { buildArchive, file, folder, symlink } from "./archives-and-trees.mjs";

import { factories, streamOf } from "./layers.mjs";

const lower = buildArchive([folder("real"), symlink("live", "real"), symlink("dangling", "nowhere")]);

export async function lowerSymlinks(name, scratch) {
  const driver = await factories[name].open({ home: `${scratch}/home` });
  await driver.create("lower");
  await driver.applyDiff("lower", undefined, streamOf(lower));
  const isOverlay = name === "overlay2" || name === "fuse-overlayfs";

  assert.equal(await apply("live", [file("live/file", "new")]), isOverlay ? "folder" : "symlink");
  assert.equal(await apply("dangling", [file("dangling/file", "new")]), isOverlay ? "folder" : "refused");
  assert.equal(await apply("own", [symlink("own", "real"), file("own/file", "new")]), "symlink");
  const through = [symlink("through", "live"), file("through/file", "new")];
  assert.equal(await apply("through", through), isOverlay ? "refused" : "symlink");
  await driver.close();

  /** What `link` is then, behind which the file is. */
  async function apply(link, entries) {
    await driver.createReadWrite(link, { parent: "lower" });
    try {
      await driver.applyDiff(link, "lower", streamOf(buildArchive(entries)));
    } catch {
      return "refused";
    }
    const path = await driver.get(link, {});
    try {
      if (!lstatSync(`${path}/${link}`).isSymbolicLink()) return "folder";
      assert.equal(readFileSync(`${path}/${link}/file`, "utf8"), "new");
      return "symlink";
    } finally {
      await driver.put(link);
    }
  }
}
