/** What a container has marked immutable or append-only, as root on the host may not delete it either: chattr(1). */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { withFolderAt } from "cleat/layer";
import { createSubvolume } from "#dist/syscall/index.js";

import { assertNothingStaged, factories, toLayer } from "./layers.mjs";

const mark = (sign, ...paths) => execFileSync("chattr", [sign, ...paths]);

export async function protectedFiles(name, folder) {
  const home = `${folder}/home`;
  const driver = await factories[name].open({ home });
  await driver.create("image", {});
  await driver.applyDiff("image", undefined, toLayer.stream());
  for (const whole of [false, true]) {
    await driver.createReadWrite("container", { parent: "image" });
    const path = await driver.get("container", {});
    // That of fuse-overlayfs passes on no marks; its host's root may set them all the same.
    protect(name === "fuse-overlayfs" ? `${home}/container/diff` : path, name, whole);
    await driver.put("container");
    await driver.remove("container");
    assert.equal(await driver.exists("container"), false);
  }
  await driver.close();
  await leftovers(name, home);
}

/** In each folder that is marked lies something; `whole`: the layer's own folder is marked. */
function protect(path, name, whole) {
  const deep = `${path}/new/${"d/".repeat(40)}`;
  mkdirSync(deep, { recursive: true });
  for (const file of [`${path}/new/immutable`, `${path}/new/appended`, `${deep}/f`]) writeFileSync(file, file);
  if (name === "btrfs") makeSubvolumes(path);
  mark("+i", `${path}/new/immutable`, `${deep}/f`);
  mark("+a", `${path}/new/appended`, dirname(deep));
  mark("+i", deep, `${path}/new`);
  if (whole) mark("+a", path);
}

function makeSubvolumes(path) {
  mkdirSync(`${path}/held`);
  for (const place of ["held/subvolume", "held/subvolume/inner"]) {
    withFolderAt(dirname(`${path}/${place}`), (folder) => createSubvolume(folder, basename(place)));
    writeFileSync(`${path}/${place}/file`, "x");
  }
  mark("+i", `${path}/held/subvolume/inner/file`, `${path}/held/subvolume/inner`, `${path}/held/subvolume`);
  mark("+i", `${path}/held`);
}

/** Who may not take a mark away opens the home all the same, and leaves what it cannot delete to one who may. */
async function leftovers(name, home) {
  const places = ["trash", "staging"].map((part) => `${home}/.cleat/${part}/left`);
  for (const place of places) {
    mkdirSync(place);
    writeFileSync(`${place}/file`, "");
    mark("+i", `${place}/file`);
  }
  const unable = ["setpriv", "--bounding-set=-linux_immutable", process.execPath, fileURLToPath(import.meta.url)];
  execFileSync(unable[0], [...unable.slice(1), name, home], { stdio: "inherit" });
  const left = ["trash", "staging"].flatMap((part) => readdirSync(`${home}/.cleat/${part}`));
  assert.equal(left.length, 2);
  await assertNothingStaged(name, home);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name, home] = process.argv.slice(2);
  const driver = await factories[name].open({ home });
  assert.equal(await driver.exists("image"), true);
  await driver.close();
  assert.ok(existsSync(`${home}/.cleat/trash`));
}
