/** A layer of which something cannot be read at the moment. */
import assert from "node:assert/strict";
import { unlinkSync } from "node:fs";

import { openStore } from "cleat/layerstore";
import { builtInFactories } from "cleat/selection";
import { buildArchive, file } from "./archives-and-trees.mjs";

import { failAt } from "../fail-at.mjs";
import { factories, namesOf, streamOf } from "./layers.mjs";

/** Each part of "top", and of "base" below it, that may not be readable; whether the rest tells on what it lies. */
const ofOverlay = { "top/lower": false, "top/link": true, top: false, base: false };
const parts = {
  overlay2: ofOverlay,
  "fuse-overlayfs": ofOverlay,
  btrfs: { ".cleat/layers/top": false, "subvolumes/top": true, "subvolumes/base": true },
  vfs: { ".cleat/layers/top": false, "dir/top": true, "dir/base": true },
};

/** Nobody else is kept from being served, nothing of it is lost, and whoever looks after the store is told. */
export async function unreadableLayer(name, folder) {
  const home = `${folder}/home`;
  const first = await factories[name].open({ home });
  await makeLayer(first, "base", undefined);
  await makeLayer(first, "top", "base");
  await makeLayer(first, "other", undefined);
  await first.createReadWrite("container", { parent: "other" });
  const cases = Object.entries(parts[name]);
  for (const at of cases.keys()) await makeLayer(first, `spare-${at}`, "other");
  await first.close();
  for (const [at, [part, tellsParent]] of cases.entries()) {
    const restore = failAt(`${home}/${part}`);
    try {
      const id = /base|top/.exec(part)[0];
      await assertOthersServed(name, home, { id, spare: `spare-${at}`, tellsParent });
    } catch (error) {
      throw new Error(`while ${part} cannot be read`, { cause: error });
    } finally {
      restore();
    }
  }
  await assertWhole(name, home);
}

async function assertOthersServed(name, home, { id, spare, tellsParent }) {
  const driver = await factories[name].open({ home });
  const listed = new Map();
  for await (const layer of driver.list()) listed.set(layer.id, layer);
  assert.ok(
    ["base", "container", "other", "top", spare].every((one) => listed.has(one)),
    [...listed.keys()].join(),
  );
  const unreadable = [...listed.values()].filter((layer) => layer.unreadable !== undefined);
  assert.deepEqual(
    unreadable.map((layer) => layer.id),
    [id],
  );
  assert.equal(listed.get("container").parent, "other");
  assert.ok(
    (await driver.status()).some((row) => /unreadable/i.test(row[0]) && row[1].includes(id)),
    "status",
  );

  await makeLayer(driver, "new", "other");
  assert.deepEqual(await namesOf(driver, "new"), ["of-new", "of-other"]);
  assert.deepEqual(await namesOf(driver, "container"), ["of-other"]);
  await driver.remove("new"); // on which nothing lies that was there before it

  const refusal = (how) => ({ code: "FAILED_PRECONDITION", message: new RegExp(`"top" ${how} on it`) });
  if (id === "top") {
    await assert.rejects(driver.remove("base"), refusal(tellsParent ? "lies" : "may lie"));
    await assert.rejects(driver.remove("base", { mayLieOn: (one) => one === "top" }), refusal("(lies|may lie)"));
  } else await assert.rejects(driver.remove("base", { mayLieOn: () => false }), /base/);
  await assert.rejects(driver.remove("other", { mayLieOn: () => false }), { code: "FAILED_PRECONDITION" });
  if (!tellsParent) await assert.rejects(driver.remove(spare), /may lie on it/);
  await driver.remove(spare, { mayLieOn: () => false }); // as who keeps records of his own knows
  await driver.close();

  const store = openStore({ home, drivers: builtInFactories, driver: name });
  const { layers } = await store.describe();
  assert.deepEqual(
    layers.filter(({ condition }) => condition !== "whole" && condition !== "unfilled").map((one) => one.id),
    [id],
  );
  const { findings } = await store.check();
  assert.deepEqual(
    findings.map(({ kind, layer }) => [kind, layer]),
    [["unreadable", id]],
  );
  const { repaired } = await store.repair({ removeOrphans: true });
  assert.deepEqual(repaired, []);
  await store.close();
}

/** On btrfs, of which a layer without a record is a snapshot tells nobody while that cannot be read. */
export async function unreadableSource(name, folder) {
  const home = `${folder}/home`;
  const first = await factories[name].open({ home });
  for (const id of ["base", "other"]) await makeLayer(first, id, undefined);
  await first.create("top", { parent: "base" });
  await first.close();
  unlinkSync(`${home}/.cleat/layers/top`);
  const restore = failAt(`${home}/subvolumes/base`);
  const driver = await factories[name].open({ home });
  try {
    await assert.rejects(driver.remove("other"), /"top" may lie on it/);
  } finally {
    restore();
  }
  await assert.rejects(driver.remove("base"), /"top" lies on it/);
  for (const id of ["other", "top", "base"]) await driver.remove(id);
  await driver.close();
}

async function assertWhole(name, home) {
  const driver = await factories[name].open({ home });
  for await (const layer of driver.list()) assert.equal(layer.unreadable, undefined, layer.id);
  assert.deepEqual(await namesOf(driver, "top"), ["of-base", "of-top"]);
  await assert.rejects(driver.remove("base"), { code: "FAILED_PRECONDITION" });
  for (const id of ["top", "base", "container", "other"]) await driver.remove(id);
  await driver.close();
}

async function makeLayer(driver, id, parent) {
  await driver.create(id, { parent });
  await driver.applyDiff(id, parent, streamOf(buildArchive([file(`of-${id}`, id)])));
}
