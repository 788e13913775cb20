/**
 * Two snapshots whose files cannot be read: others come and go, and what those two lie on stays. Once they are removed
 * what is left of them keeps nothing else.
 */
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

async function assertGone(id) {
  for (let tries = 0; existsSync(`${layers}/${id}`) && tries < 200; tries++) await delay(10);
  assert.ok(!existsSync(`${layers}/${id}`), `snapshot ${id} was removed, and its files are there`);
}

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
await assertGone(2);
await assert.rejects(snapshotter.remove("one"), { code: "FAILED_PRECONDITION" });
await snapshotter.prepare("fourth", { parent: "one" });
await snapshotter.close();

for (const restore of restores) restore();
snapshotter = await open();
for (const container of ["first", "second", "fourth"]) assert.ok((await snapshotter.mounts(container)).length > 0);
await snapshotter.close();

// With btrfs a subvolume tells what a record does not, and the other way round.
const all = name === "btrfs" ? [...records, ".cleat/layers/4", "subvolumes/3"] : records;
for (const path of all) failAt(`${root}/${path}`);
snapshotter = await open();
for (const key of ["first", "second", "fourth"]) await snapshotter.remove(key);
await snapshotter.cleanup().catch(() => {}); // of the first two something may be left
await snapshotter.remove("one");
await assertGone(1);
await snapshotter.close();
snapshotter = await open();
await snapshotter.prepare("fifth", {});
await snapshotter.remove("fifth");
await assertGone(6);
await snapshotter.close();
