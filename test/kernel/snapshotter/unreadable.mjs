/** Two snapshots whose files cannot be read: others come and go, and what those two lie on stays. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

import { btrfs, overlay2, vfs } from "cleat/drivers";
import { openGraphDriverSnapshotter } from "cleat/snapshotter";

import { failAt } from "../graphdriver/fail-at.mjs";

const [name, folder] = process.argv.slice(2);
const root = `${folder}/snapshots`;
/** Where the layers are, and what tells on what layer 3 and 4 lie. */
const { layers, records } = {
  overlay2: { layers: root, records: ["3/lower", "4/lower"] },
  btrfs: { layers: `${root}/subvolumes`, records: [".cleat/layers/3", "subvolumes/4"] },
  vfs: { layers: `${root}/dir`, records: [".cleat/layers/3", ".cleat/layers/4"] },
}[name];
const open = () => openGraphDriverSnapshotter({ driver: { btrfs, overlay2, vfs }[name], root });

let snapshotter = await open();
for (const image of ["one", "two"]) {
  await snapshotter.prepare(`unpacked ${image}`, {});
  await snapshotter.commit(image, `unpacked ${image}`, {});
}
for (const container of ["first", "second"]) await snapshotter.prepare(container, { parent: "one" });
await snapshotter.close();
assert.deepEqual(
  readdirSync(layers)
    .filter((id) => /^\d+$/.test(id))
    .toSorted(),
  ["1", "2", "3", "4"],
);

const restores = records.map((path) => failAt(`${root}/${path}`));
snapshotter = await open();
await snapshotter.remove("two");
await snapshotter.cleanup();
for (let tries = 0; existsSync(`${layers}/2`) && tries < 200; tries++) await delay(10);
assert.ok(!existsSync(`${layers}/2`), "a snapshot was removed, and its files are there");
await assert.rejects(snapshotter.remove("one"), { code: "FAILED_PRECONDITION" });
await snapshotter.prepare("fourth", { parent: "one" });
await snapshotter.close();

for (const restore of restores) restore();
snapshotter = await open();
for (const container of ["first", "second", "fourth"]) assert.ok((await snapshotter.mounts(container)).length > 0);
for (const key of ["first", "second", "fourth", "one"]) await snapshotter.remove(key);
await snapshotter.cleanup();
await snapshotter.close();
