/** On a file system of 16 MB. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";

import { buildArchive, file } from "cleat/testing";

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
    assertNothingStaged(driver, home);
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
      assertNothingStaged(driver, home);
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
    assertNothingStaged(driver, home);
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
    assertNothingStaged(driver, home);
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
