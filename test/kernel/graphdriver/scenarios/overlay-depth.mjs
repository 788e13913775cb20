/** As many layers as a mount takes, by either way to mount them. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";

import { buildArchive, file } from "./archives-and-trees.mjs";
import { createOverlay2Factory } from "#dist/drivers/overlay2/overlay2.js";
import { assertRefused, streamOf } from "./layers.mjs";

/** Each as long as Docker's own. */
const idOf = (at) => `layer-${at}`.padEnd(64, "x");

/** Stacks what `maxDepth` says can be stacked, reads the file of each layer, and asks for one layer more. */
async function fillUp(folder, known, expectedDepth) {
  const driver = await createOverlay2Factory(known).open({ home: `${folder}/home`, durability: "none" });
  const { maxDepth } = driver.capabilities;
  assert.equal(maxDepth, expectedDepth);
  for (let at = 0; at < maxDepth; at++) {
    const parent = at === 0 ? undefined : idOf(at - 1);
    await driver.create(idOf(at), { parent });
    await driver.applyDiff(
      idOf(at),
      parent,
      streamOf(buildArchive([file(`of-${at}`, `in ${at}`), file("top", `${at}`)])),
    );
  }
  const container = idOf(maxDepth);
  await driver.createReadWrite(container, { parent: idOf(maxDepth - 1) });
  const root = await driver.get(container, {});
  for (let at = 0; at < maxDepth; at++) assert.equal(readFileSync(`${root}/of-${at}`, "latin1"), `in ${at}`);
  assert.equal(readFileSync(`${root}/top`, "latin1"), `${maxDepth - 1}`);
  writeFileSync(`${root}/of-0`, "written");
  await driver.put(container);
  const changes = await driver.changes(container, idOf(maxDepth - 1));
  assert.deepEqual(
    changes.map(({ kind, path }) => `${kind} ${path}`),
    ["modified /of-0"],
  );
  // The uppermost image layer is one folder more when it is mounted itself, read-only.
  await driver.get(idOf(maxDepth - 1), {});
  await driver.put(idOf(maxDepth - 1));

  const tooDeep = idOf(maxDepth + 1);
  await assertRefused(driver.create(tooDeep, { parent: container }), "OUT_OF_RANGE", tooDeep, String(maxDepth));
  assert.equal(await driver.exists(tooDeep), false);
  await driver.close();
}

export const fiveHundredLayers = (_driver, folder) => fillUp(folder, {}, 500);

export const onePageOfLayers = (_driver, folder) => fillUp(folder, { layerByLayer: false }, 128);
