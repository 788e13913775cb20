/** What becomes of a snapshot's label that says how large it may get. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";

import { btrfs, vfs } from "cleat/drivers";
import { openGraphDriverSnapshotter } from "cleat/snapshotter";

const [driver, folder] = process.argv.slice(2);
const mebibyte = 2 ** 20;
const sized = (size) => ({ "containerd.io/snapshot/max-size": size });
const told = [];
const note = (fields, message) => told.push({ driver: fields.driver, message });
const logger = { debug() {}, info: note, warn: note, error: note };
const open = () =>
  openGraphDriverSnapshotter({
    driver: { btrfs, vfs }[driver],
    root: `${folder}/snapshots`,
    durability: "none",
    logger,
  });

let snapshotter = await open();
const [image] = await snapshotter.prepare("image key", {});
writeFileSync(`${image.source}/below`, Buffer.alloc(2 * mebibyte, "below"));
await snapshotter.commit("image", "image key", {});

await { btrfs: enforced, vfs: ignored }[driver]();
await snapshotter.close();

async function enforced() {
  await prepare("small", { parent: "image", labels: sized(String(8 * mebibyte)) });
  assert.equal(await takes("small", 1), true);
  await prepare("small too", { labels: sized(String(8 * mebibyte)) });
  assert.equal(await takes("small too", 12), false);
  await snapshotter.close();
  snapshotter = await open();
  assert.equal(await takes("small", 12), false);
  await prepare("free", { parent: "image" });
  await prepare("no number", { parent: "image", labels: sized("8Mi") });
  for (const key of ["free", "no number"]) assert.equal(await takes(key, 12), true, key);
  assert.deepEqual(told, []);
}

async function ignored() {
  for (const key of ["one", "another"]) {
    await prepare(key, { parent: "image", labels: sized(String(8 * mebibyte)) });
    assert.equal(await takes(key, 12), true, key);
  }
  assert.deepEqual(told, [{ driver: "vfs", message: "snapshots ask for a size, which is not enforced here" }]);
}

async function prepare(key, options) {
  assert.deepEqual(await snapshotter.mounts(key).catch(() => "none"), "none");
  await snapshotter.prepare(key, options);
}

/** Whether so much more could be written, to the disk. Node has no name for EDQUOT. */
async function takes(key, mebibytes) {
  const [{ source }] = await snapshotter.mounts(key);
  try {
    writeFileSync(`${source}/written ${mebibytes}`, Buffer.alloc(mebibytes * mebibyte, "content"), { flush: true });
    return true;
  } catch (error) {
    if (![-122, -28].includes(error.errno)) throw error;
    return false;
  }
}
