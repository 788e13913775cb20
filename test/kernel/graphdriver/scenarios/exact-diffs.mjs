/** A crash between the two steps in which a layer gets its record and its tree. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";

import { openStore } from "cleat/layerstore";
import { assertNothingStaged, factories, filesOf, toLayer } from "./layers.mjs";

const options = ["cleat.exact_diffs=true"];

const places = {
  overlay2: { tree: "layer/diff", record: "layer/exact" },
  btrfs: { tree: "subvolumes/layer", record: ".cleat/exact/layer" },
};

/** The record has come, the tree has not: the layer is as it was created, and takes a diff. */
export const crashBetweenRecordAndTree = (driver, folder) => checkRecordWithoutTree(driver, folder, () => {});

/** As soon as what is staged is deleted, the record would seem to have its tree. */
export const crashBetweenIsMended = (driver, folder) => checkRecordWithoutTree(driver, folder, repair);

async function checkRecordWithoutTree(driver, folder, mend) {
  const home = `${folder}/home`;
  const { staged, tree } = await fillLayer(driver, home);
  renameSync(tree, staged);
  if (driver === "btrfs") btrfsCommand("create", tree);
  else mkdirSync(tree);
  await mend(home);

  const opened = await factories[driver].open({ home, options });
  await assertNothingStaged(driver, home);
  assert.equal(await filesOf(opened, "layer"), 0);
  assert.ok(!(await diffOf(opened)).equals(toLayer.archive));
  await opened.applyDiff("layer", undefined, toLayer.stream());
  assert.ok((await diffOf(opened)).equals(toLayer.archive));
  await opened.close();
}

/** Both have come, and what the layer was before is still staged: the layer gives back its archive. */
export const crashBehindExchange = (driver, folder) => checkExchanged(driver, folder, () => {});
export const crashBehindIsMended = (driver, folder) => checkExchanged(driver, folder, repair);

async function checkExchanged(driver, folder, mend) {
  const home = `${folder}/home`;
  const { staged, tree } = await fillLayer(driver, home);
  renameSync(tree, staged);
  btrfsCommand("snapshot", staged, tree);
  await mend(home);

  const opened = await factories[driver].open({ home, options });
  await assertNothingStaged(driver, home);
  assert.equal(await filesOf(opened, "layer"), toLayer.names);
  assert.ok((await diffOf(opened)).equals(toLayer.archive));
  await opened.close();
}

/** What is kept of a layer that Docker's own driver removed is gone, whether a layer of that name comes or not. */
export async function layerRemovedByDocker(driver, folder) {
  const home = `${folder}/home`;
  const { tree } = await fillLayer(driver, home);
  const remove = () =>
    driver === "btrfs" ? btrfsCommand("delete", tree) : execFileSync("rm", ["-r", tree], { stdio: "ignore" });
  const opened = await factories[driver].open({ home, options });
  remove();
  await opened.create("layer", {});
  assert.ok(!(await diffOf(opened)).equals(toLayer.archive));
  await opened.applyDiff("layer", undefined, toLayer.stream());
  assert.ok((await diffOf(opened)).equals(toLayer.archive));
  await opened.close();

  remove();
  await (await factories[driver].open({ home, options })).close();
  assert.deepEqual(readdirSync(`${home}/.cleat/exact`), []);
}

async function repair(home) {
  const store = openStore({ home, drivers: Object.values(factories) });
  try {
    const { repaired, left } = await store.repair();
    assert.deepEqual([repaired.map(({ kind }) => kind), left], [["staged-left"], []]);
  } finally {
    await store.close();
  }
}

/** A layer that has its diff, and where that was staged on the way. */
async function fillLayer(driver, home) {
  const opened = await factories[driver].open({ home, options });
  await opened.create("layer", {});
  await opened.applyDiff("layer", undefined, toLayer.stream());
  await opened.close();
  const place = places[driver] ?? { tree: "dir/layer", record: ".cleat/exact/layer" };
  const record = `${home}/${place.record}`;
  const { staged } = JSON.parse(readFileSync(`${record}/record.json`, "utf8"));
  return { staged: `${home}/${staged}`, tree: `${home}/${place.tree}` };
}

async function diffOf(driver) {
  return Buffer.concat(await (await driver.diff("layer")).toArray());
}

function btrfsCommand(...args) {
  execFileSync("btrfs", ["subvolume", ...args], { stdio: "ignore" });
}
