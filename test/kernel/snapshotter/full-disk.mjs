/** On a disk without a byte to spare: nothing is lost, snapshots can be removed, which makes room, and it opens. */
import assert from "node:assert/strict";
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";

import { btrfs, overlay2, vfs } from "cleat/drivers";
import { openGraphDriverSnapshotter } from "cleat/snapshotter";

const [name, folder, durability = "layer"] = process.argv.slice(2);
const root = `${folder}/snapshots`;
const driver = { btrfs, overlay2, vfs }[name];
const open = () => openGraphDriverSnapshotter({ driver, root, durability });
const images = Array.from({ length: 20 }, (_, at) => `image ${at}`);
const layers = images.map((image) => `layer of ${image}`);

let snapshotter = await open();
for (const image of images) {
  const key = `key of ${image}`;
  const [mount] = await snapshotter.prepare(key, {});
  writeFileSync(`${mount.source}/file`, Buffer.alloc(50_000, image));
  await snapshotter.commit(image, key, {});
  await snapshotter.prepare(`layer of ${image}`, { parent: image });
}
fill();
await assert.rejects(untilRefused(), { code: "RESOURCE_EXHAUSTED" });
const before = await content();
await snapshotter.close();
snapshotter = await open();
assert.deepEqual(await content(), before);
for (const key of layers.slice(0, 10)) {
  await snapshotter.mounts(key);
  await snapshotter.remove(key);
}
await snapshotter.cleanup();
await snapshotter.close();
snapshotter = await open();
assert.deepEqual(
  (await content()).map(([key]) => key),
  [...images, ...layers.slice(10)].toSorted(),
);
for (const image of images.slice(0, 10)) await snapshotter.remove(image);
await snapshotter.cleanup();
rmSync(`${folder}/filler`);
await snapshotter.prepare("new", { parent: images[15] });
await snapshotter.update("new", { labels: { a: "b" } });
await snapshotter.close();

/** Down to single bytes: labels that grow are refused in the end. */
async function untilRefused() {
  for (let round = 0; round < 100; round++) {
    for (const key of images) await snapshotter.update(key, { labels: { round: String(round).repeat(2000) } });
  }
}

function fill() {
  const file = openSync(`${folder}/filler`, "w");
  for (let size = 2 ** 20; size >= 512; size /= 2) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size, 1));
    } catch (error) {
      if (error.code !== "ENOSPC") throw error;
    }
  }
  closeSync(file);
}

async function content() {
  const found = [];
  for await (const { name: key, kind, parent, labels } of snapshotter.list()) found.push([key, kind, parent, labels]);
  return found.toSorted(([one], [other]) => (one < other ? -1 : 1));
}
