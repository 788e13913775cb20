/** What processes in a container can do with subvolumes, and what a removal makes of it. On btrfs. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";

import { withFolderAt } from "cleat/layer";
import { close, createSubvolume, mkdirat, O_RDONLY, openat, openPath } from "#dist/syscall/index.js";
import { buildArchive, file } from "./archives-and-trees.mjs";

import { assertNothingStaged, factories, streamOf } from "./layers.mjs";

const btrfs = (...args) => execFileSync("btrfs", args, { encoding: "utf8" });
const makeSubvolume = (path) => withFolderAt(dirname(path), (folder) => createSubvolume(folder, basename(path)));
const makeReadOnly = (path) => btrfs("property", "set", path, "ro", "true");

/** Also those that no name leads to. */
const countSubvolumes = (folder) => btrfs("subvolume", "list", folder).split("\n").length - 1;

export async function nestedSubvolumes(driver, folder) {
  const opened = await factories[driver].open({ home: `${folder}/home` });
  const outside = `${folder}/outside`;
  makeSubvolume(outside);
  writeFileSync(`${outside}/mine`, "mine");
  await withContainer(opened, (path, below) => {
    makeSubvolume(`${path}/one`);
    mkdirSync(`${path}/one/folder`);
    makeSubvolume(`${path}/one/folder/two`);
    writeFileSync(`${path}/one/folder/two/file`, "2");
    makeSubvolume(`${path}/one/empty`);
    for (const [at, target] of [outside, below, "..", "/"].entries()) symlinkSync(target, `${path}/one/link${at}`);
    btrfs("--quiet", "subvolume", "snapshot", below, `${path}/copy`);
  });
  assert.equal(readFileSync(`${outside}/mine`, "latin1"), "mine");
  await assertOnlyImageLeft(opened, folder, 1);
}

export async function readOnlySubvolumes(driver, folder) {
  const opened = await factories[driver].open({ home: `${folder}/home` });
  await withContainer(opened, (path) => {
    mkdirSync(`${path}/folder`);
    for (const name of ["alone", "folder/outer", "folder/outer/inner"]) makeSubvolume(`${path}/${name}`);
    writeFileSync(`${path}/folder/outer/inner/file`, "x");
    for (const name of ["alone", "folder/outer/inner", "folder/outer"]) makeReadOnly(`${path}/${name}`);
  });
  await withContainer(opened, (path) => makeReadOnly(path));
  await withContainer(opened, (path) => {
    makeSubvolume(`${path}/nested`);
    makeReadOnly(path);
  });
  await assertOnlyImageLeft(opened, folder, 0);
}

/** Each subvolume numbers its files from the same number on, and what is one file is told by more than that. */
export async function inodesOfSubvolumes(driver, folder) {
  const opened = await factories[driver].open({ home: `${folder}/home` });
  await makeContainer(opened);
  const path = await opened.get("container", {});
  writeFileSync(`${path}/first`, "first");
  linkSync(`${path}/first`, `${path}/first-too`);
  makeSubvolume(`${path}/sub`);
  const { ino } = statSync(`${path}/first`);
  for (let at = 0; at < 100 && !readdirSync(`${path}/sub`).includes("second"); at++) {
    writeFileSync(`${path}/sub/${at}`, "second");
    if (statSync(`${path}/sub/${at}`).ino === ino) linkSync(`${path}/sub/${at}`, `${path}/sub/second`);
  }
  const { size } = statSync(`${path}/sub/second`);
  const others = readdirSync(`${path}/sub`).length - 2;
  assert.equal(await opened.diffSize("container", "image"), "first".length + size * (others + 1));
  await opened.create("copy", { parent: "image" });
  await opened.applyDiff("copy", "image", await opened.diff("container", "image"));
  assert.equal(readFileSync(`${await opened.get("copy", {})}/sub/second`, "latin1"), "second");
  await opened.close();
}

/** Deeper than descriptors or paths reach. */
export async function deepSubvolumes(driver, folder) {
  const opened = await factories[driver].open({ home: `${folder}/home` });
  await withContainer(opened, (path) => {
    descend(path, 300, createSubvolume);
    makeReadOnly(`${path}/${"n/".repeat(150)}`);
    mkdirSync(`${path}/folders`);
    descend(`${path}/folders`, 2500, (above, name) => mkdirat(above, name, 0o755), makeFilledSubvolume);
  });
  await assertOnlyImageLeft(opened, folder, 0);
}

export async function manySubvolumes(driver, folder) {
  const opened = await factories[driver].open({ home: `${folder}/home` });
  await withContainer(opened, (path) => {
    // More than the kernel tells of in one call.
    for (let at = 0; at < 400; at++) makeSubvolume(`${path}/s${at}`);
  });
  await assertOnlyImageLeft(opened, folder, 0);
}

/**
 * What a crash leaves, at the worst: subvolumes in subvolumes, read-only, staged and half removed; beside folders of
 * another driver.
 */
export async function staleSubvolumes(driver, folder) {
  const home = `${folder}/home`;
  await (await factories[driver].open({ home })).close();
  for (const part of ["staging", "trash"]) {
    const own = `${home}/.cleat/${part}`;
    for (const name of ["one", "one/two", "three"]) makeSubvolume(`${own}/${name}`);
    mkdirSync(`${own}/folder/sub`, { recursive: true });
    makeSubvolume(`${own}/folder/sub/volume`);
    writeFileSync(`${own}/one/two/file`, "x");
    writeFileSync(`${own}/file`, "x");
    makeReadOnly(`${own}/one/two`);
    makeReadOnly(`${own}/three`);
  }
  mkdirSync(`${home}/quotas`);
  writeFileSync(`${home}/quotas/gone`, "1000000");
  await (await factories[driver].open({ home })).close();
  await assertNothingStaged(driver, home);
  assert.equal(countSubvolumes(folder), 0);
}

/** Makes `levels` of something in one another, and something at the bottom. */
function descend(path, levels, make, atBottom = () => {}) {
  let folder = openPath(path, O_RDONLY);
  for (let level = 0; level < levels; level++) {
    make(folder, "n");
    const below = openat(folder, "n", O_RDONLY);
    close(folder);
    folder = below;
  }
  atBottom(folder);
  close(folder);
}

function makeFilledSubvolume(folder) {
  createSubvolume(folder, "filled");
  mkdirat(folder, "filled/folder", 0o755);
}

/** A container on an image. */
async function makeContainer(driver) {
  if (!(await driver.exists("image"))) {
    await driver.create("image", {});
    await driver.applyDiff("image", undefined, streamOf(buildArchive([file("below", "b")])));
  }
  await driver.createReadWrite("container", { parent: "image" });
}

/** A container on an image, given to `work`, then removed. */
async function withContainer(driver, work) {
  await makeContainer(driver);
  const below = await driver.get("image", {});
  work(await driver.get("container", {}), below);
  await driver.remove("container");
  assert.equal(await driver.exists("container"), false);
}

async function assertOnlyImageLeft(driver, folder, others) {
  assert.deepEqual(readdirSync(`${folder}/home/subvolumes`), ["image"]);
  assert.deepEqual(readdirSync(await driver.get("image", {})), ["below"]);
  await assertNothingStaged("btrfs", `${folder}/home`);
  assert.equal(countSubvolumes(folder), others + 1);
  await driver.close();
}
