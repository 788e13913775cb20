/** On a file system of 16 MB. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";

import { buildArchive, file, folder as directory, symlink } from "./archives-and-trees.mjs";

import { finishDeletions } from "./btrfs-deletions.mjs";
import { assertNothingStaged, assertRefused, factories, filesOf, namesOf, streamOf, toLayer } from "./layers.mjs";

const megabytes = (count) => Buffer.alloc(count * 2 ** 20, "content");

export async function fullDiskDuringApply(driver, folder) {
  await withDriver(driver, folder, async (opened, home) => {
    await fill(opened, "below", undefined, [file("below", megabytes(3))]);
    await opened.create("layer", { parent: "below" });
    const tooMuch = buildArchive([file("small", "s"), file("big", megabytes(20))]);
    await assertRefused(opened.applyDiff("layer", "below", streamOf(tooMuch)), "RESOURCE_EXHAUSTED", "layer", "big");
    assert.deepEqual(await namesOf(opened, "layer"), ["below"]);
    await assertNothingStaged(driver, home, { isServed: true });
    takeSpaceBack(driver, folder);
    await opened.applyDiff("layer", "below", streamOf(buildArchive([file("small", "s")])));
    assert.deepEqual(await namesOf(opened, "layer"), ["below", "small"]);
  });
}

/** What is kept of an archive, of which the tree holds nothing, is what does not fit. */
export async function fullDiskOfExactDiff(driver, folder) {
  const options = ["cleat.exact_diffs=true"];
  await withDriver(
    driver,
    folder,
    async (opened, home) => {
      await opened.create("layer", {});
      const tooMuch = buildArchive([file("small", "s"), file(".wh.gone", randomBytes(20 * 2 ** 20))]);
      await assertRefused(opened.applyDiff("layer", undefined, streamOf(tooMuch)), "RESOURCE_EXHAUSTED", "layer");
      assert.equal(await filesOf(opened, "layer"), 0);
      await assertNothingStaged(driver, home);
      takeSpaceBack(driver, folder);
      await opened.applyDiff("layer", undefined, toLayer.stream());
      const diff = Buffer.concat(await (await opened.diff("layer")).toArray());
      assert.ok(diff.equals(toLayer.archive));
    },
    options,
  );
}

/** Many files of a block each: what runs out is met in making them, not in writing. */
export async function fullDiskOfSmallFiles(driver, folder) {
  await withDriver(driver, folder, async (opened, home) => {
    await opened.create("layer", {});
    const block = Buffer.alloc(3000, "x");
    const names = Array.from({ length: 8000 }, (_, at) => file(`f${at}`, block));
    await assertRefused(
      opened.applyDiff("layer", undefined, streamOf(buildArchive(names))),
      "RESOURCE_EXHAUSTED",
      "layer",
    );
    assert.equal(await filesOf(opened, "layer"), 0);
    await assertNothingStaged(driver, home);
    takeSpaceBack(driver, folder);
    await opened.applyDiff("layer", undefined, toLayer.stream());
    assert.equal(await filesOf(opened, "layer"), toLayer.names);
  });
}

export async function fullDiskDuringCreate(driver, folder) {
  await withDriver(driver, folder, async (opened, home) => {
    await fill(opened, "below", undefined, [file("below", megabytes(5))]);
    const ballast = `${folder}/ballast`;
    try {
      writeFileSync(ballast, megabytes(20));
    } catch (error) {
      assert.equal(error.code, "ENOSPC");
    }
    await assertRefused(opened.createReadWrite("layer", { parent: "below" }), "RESOURCE_EXHAUSTED", "layer");
    assert.equal(await opened.exists("layer"), false);
    rmSync(ballast);
    await assertNothingStaged(driver, home);
    await opened.createReadWrite("layer", { parent: "below" });
    assert.deepEqual(await namesOf(opened, "layer"), ["below"]);
    await opened.remove("layer");
  });
}

function takeSpaceBack(driver, folder) {
  if (driver === "btrfs") finishDeletions(folder);
}

async function withDriver(driver, folder, use, options = []) {
  const home = `${folder}/home`;
  const opened = await factories[driver].open({ home, options });
  try {
    await use(opened, home);
  } finally {
    await opened.close();
  }
}

async function fill(driver, id, parent, entries) {
  await driver.create(id, { parent });
  await driver.applyDiff(id, parent, streamOf(buildArchive(entries)));
}

/**
 * Removal is how room is made, so it needs none: not on a disk that is full to its last block and name, by a process
 * that opens the store there. The last layer goes first, as the others lie below it.
 */
export async function fullDiskDuringRemove(driver, folder) {
  const options = ["cleat.exact_diffs=true"];
  const home = `${folder}/home`;
  const ids = ["base", "middle", "container"];
  await withDriver(
    driver,
    folder,
    async (opened) => {
      await fill(opened, "base", undefined, [file("below", megabytes(1)), directory("d"), file("d/f", "f")]);
      await fill(opened, "middle", "base", [file("more", megabytes(1)), symlink("link", "more")]);
      await opened.createReadWrite("container", { parent: "middle" });
      const path = await opened.get("container", {});
      writeFileSync(`${path}/written`, "written");
      if (driver === "btrfs") nestSubvolumes(path);
      await opened.get("container", {});
    },
    options,
  );
  fillToTheLast(`${folder}/ballast`);
  await withDriver(
    driver,
    folder,
    async (opened) => {
      for (const id of ids.toReversed()) {
        await opened.remove(id);
        assert.equal(await opened.exists(id), false, id);
      }
      await assertNothingStaged(driver, home);
    },
    options,
  );
  rmSync(`${folder}/ballast`, { recursive: true });
  takeSpaceBack(driver, folder);
  await withDriver(driver, folder, async (opened) => {
    for (const id of ids) await opened.create(id, {});
  });
}

/** As a container may make them: one in another, and that read-only. */
function nestSubvolumes(path) {
  for (const name of ["outer", "outer/inner"]) execFileSync("btrfs", ["subvolume", "create", `${path}/d/${name}`]);
  execFileSync("btrfs", ["property", "set", `${path}/d/outer/inner`, "ro", "true"]);
}

/** First content, in pieces ever smaller, then names: what one of them cannot have is left for another. */
function fillToTheLast(ballast) {
  mkdirSync(ballast);
  for (let bytes = 2 ** 20; bytes >= 512; bytes /= 8)
    untilFull((at) => writeFileSync(`${ballast}/${bytes}-${at}`, Buffer.alloc(bytes, "b")));
  for (const length of [200, 60, 10]) {
    untilFull((at) => writeFileSync(`${ballast}/${String(at).padStart(length, "f")}`, ""));
    untilFull((at) => mkdirSync(`${ballast}/${String(at).padStart(length, "d")}`));
  }
}

function untilFull(write) {
  for (let at = 0; at < 100_000; at++) {
    try {
      write(at);
    } catch (error) {
      assert.ok(["ENOSPC", "EDQUOT"].includes(error.code), error.stack);
      return;
    }
  }
  assert.fail("the disk is too large to be filled");
}
