/** What scenarios share: the drivers, a layer of many files, and a look at what is left behind. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

import { btrfs, fuseOverlayfs, overlay2, vfs } from "cleat/drivers";
import { buildArchive, file, folder, readTree } from "./archives-and-trees.mjs";

export const factories = { overlay2, "fuse-overlayfs": fuseOverlayfs, btrfs, vfs };

const entries = Array.from({ length: 20 }, (_, at) => [folder(`d${at}`), ...filesIn(at)]).flat();
/** With more zeros at its end than any driver writes. */
const archive = Buffer.concat([buildArchive(entries), Buffer.alloc(5120)]);

function filesIn(at) {
  return Array.from({ length: 20 }, (_, n) => file(`d${at}/f${n}`, Buffer.alloc(3000, n + 1)));
}

export const toLayer = {
  names: entries.length,
  archive,
  stream: () => streamOf(archive),
};

export async function* streamOf(bytes) {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

/** The names in a layer, and how many they are. */
export async function namesOf(driver, id) {
  const path = await driver.get(id, {});
  try {
    return [...readTree(path).keys()];
  } finally {
    await driver.put(id);
  }
}

export const filesOf = async (driver, id) => (await namesOf(driver, id)).length;

/**
 * Nothing half made is left, and nothing that belongs to a layer that is not there. What is in the trash when a driver
 * opens is deleted behind, so that one is opened until it is empty, where none is open. While a home `isServed`, what
 * overlay's drivers make ahead for the next layer may wait there.
 */
export async function assertNothingStaged(driver, home, { isServed = false } = {}) {
  await emptyTrash(driver, home);
  for (const part of ["staging", "trash", "filling"]) {
    const path = `${home}/.cleat/${part}`;
    if (!existsSync(path)) continue;
    const left = readdirSync(path).filter((name) => !isServed || name !== "spare");
    assert.deepEqual(left, [], path);
  }
  assertExactDiffsHaveLayers(driver, home);
  if (driver === "overlay2" || driver === "fuse-overlayfs") {
    for (const link of readdirSync(`${home}/l`)) assert.ok(existsSync(`${home}/l/${link}`), `l/${link} leads nowhere`);
  }
  if (driver === "btrfs" && existsSync(`${home}/quotas`)) {
    for (const id of readdirSync(`${home}/quotas`))
      assert.ok(existsSync(`${home}/subvolumes/${id}`), `${id} is limited but gone`);
  }
  if (driver === "vfs") {
    for (const id of readdirSync(`${home}/.cleat/unfilled`))
      assert.ok(existsSync(`${home}/dir/${id}`), `${id} is unfilled but gone`);
  }
}

async function emptyTrash(driver, home) {
  if (trashOf(home).length === 0) return;
  const opened = await factories[driver].open({ home }).catch((error) => {
    assert.match(error.message, /is being served/);
  });
  await whenTrashIsEmpty(home);
  await opened?.close();
}

export const trashOf = (home) => (existsSync(`${home}/.cleat/trash`) ? readdirSync(`${home}/.cleat/trash`) : []);

export async function whenTrashIsEmpty(home) {
  for (const until = Date.now() + 180_000; trashOf(home).length > 0; await delay(10)) {
    assert.ok(Date.now() < until, `${home}/.cleat/trash still holds ${trashOf(home).length} names`);
  }
}

function assertExactDiffsHaveLayers(driver, home) {
  if (driver === "overlay2" || !existsSync(`${home}/.cleat/exact`)) return; // there it is in the layer itself
  const layers = { vfs: "dir", btrfs: "subvolumes" }[driver];
  for (const id of readdirSync(`${home}/.cleat/exact`))
    assert.ok(existsSync(`${home}/${layers}/${id}`), `${id} has an exact diff but is gone`);
}

/** Fails unless the call rejects with the code, in one line that names all of `subjects`. */
export async function assertRefused(call, code, ...subjects) {
  const error = await call.then(
    () => assert.fail("succeeded"),
    (reason) => reason,
  );
  assert.equal(error.code, code, error.stack);
  for (const subject of subjects)
    assert.ok(error.message.includes(subject), `does not name ${subject}: ${error.message}`);
  assert.ok(!error.message.includes("\n"), error.message);
}
