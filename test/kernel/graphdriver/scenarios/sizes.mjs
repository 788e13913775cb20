/** Limits by quota groups. On btrfs. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";

import { buildArchive, file } from "./archives-and-trees.mjs";

import { finishDeletions } from "./btrfs-deletions.mjs";
import { assertRefused, factories, streamOf } from "./layers.mjs";

const megabytes = (count) => Buffer.alloc(count * 2 ** 20, "content");
const btrfs = (...args) => execFileSync("btrfs", args, { encoding: "utf8" });

/** Docker's own driver does that when its daemon stops, and with the quotas go all limits. */
export async function quotasTurnedOff(driver, folder) {
  const opened = await openWithImage(driver, folder);
  assert.deepEqual(await quotasOf(opened), "off");
  await opened.createReadWrite("limited", { parent: "image", storageOptions: { size: "8m" } });
  assert.deepEqual(await quotasOf(opened), "on");
  assert.equal(readFileSync(`${folder}/home/quotas/limited`, "latin1"), String(8 * 2 ** 20));
  await assertLimited(opened);
  btrfs("quota", "disable", folder);
  await assertLimited(opened);
  await opened.close();
}

export async function sizeLeavesNoRoom(driver, folder) {
  const opened = await openWithImage(driver, folder);
  const options = { parent: "image", storageOptions: { size: "1M" } };
  await assertRefused(opened.createReadWrite("limited", options), "INVALID_ARGUMENT", "limited", "1048576", "no room");
  assert.equal(await opened.exists("limited"), false);
  await opened.close();
  const strict = await factories[driver].open({ home: `${folder}/home`, options: ["btrfs.min_space=20M"] });
  options.storageOptions.size = "19M";
  await assertRefused(strict.createReadWrite("limited", options), "INVALID_ARGUMENT", "limited", "min_space");
  options.storageOptions.size = "20M";
  await strict.createReadWrite("limited", options);
  await strict.close();
}

/** As a diff is unpacked into a copy of the layer, the copy needs the limit, too. */
export async function sizeOfAppliedDiff(driver, folder) {
  const opened = await openWithImage(driver, folder);
  await opened.create("limited", { parent: "image", storageOptions: { size: "8m" } });
  const apply = (count) =>
    opened.applyDiff("limited", "image", streamOf(buildArchive([file("big", megabytes(count))])));
  await assertRefused(apply(12), "RESOURCE_EXHAUSTED", "limited", "EDQUOT");
  await apply(3);
  await assertLimited(opened);
  await opened.close();
}

/** What is deleted is not counted on: the next start would find groups of layers that nobody knows. */
export async function groupsOfRemovedLayers(driver, folder) {
  const opened = await openWithImage(driver, folder);
  for (let round = 0; round < 3; round++) {
    await opened.createReadWrite("limited", { parent: "image", storageOptions: { size: "8m" } });
    await opened.remove("limited");
  }
  await opened.close();
  finishDeletions(folder); // the kernel forgets a group when it is done with the subvolume
  const groups = btrfs("qgroup", "show", "--raw", folder).match(/^0\/\d+/gm);
  assert.equal(groups.length, 2, String(groups));
}

async function openWithImage(driver, folder) {
  const opened = await factories[driver].open({ home: `${folder}/home` });
  await opened.create("image", {});
  await opened.applyDiff("image", undefined, streamOf(buildArchive([file("below", megabytes(2))])));
  return opened;
}

async function quotasOf(driver) {
  return new Map(await driver.status()).get("Quota Groups");
}

async function assertLimited(driver) {
  const path = await driver.get("limited", {});
  writeFileSync(`${path}/fits`, megabytes(1), { flush: true });
  // Node has no name for EDQUOT. To truncate a file takes room, too, and there is none.
  assert.throws(() => writeFileSync(`${path}/too-much`, megabytes(8), { flush: true }), { errno: -122 });
  rmSync(`${path}/too-much`);
  await driver.put("limited");
}
