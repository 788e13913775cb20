/**
 * A disk that fails to write back: no commit is acknowledged whose files are not on it. `lost-writes.mjs DRIVER FOLDER`
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

import { overlay2, vfs } from "cleat/drivers";
import { openGraphDriverSnapshotter } from "cleat/snapshotter";

import { mountThinDisk } from "../thin-disk.mjs";

const [name, folder] = process.argv.slice(2);
const driver = { overlay2, vfs }[name];
const disk = mountThinDisk(folder);
const warnings = [];
const say = (fields, message) => void warnings.push(message);
const logger = { debug() {}, info() {}, warn: say, error: say };
const open = () => openGraphDriverSnapshotter({ driver, root: `${disk.path}/root`, logger });

let snapshotter = await open();
/** By key, what was written to each, and where. */
const written = new Map();
const committed = [];

async function prepare(key, labels) {
  const [{ options, source }] = await snapshotter.prepare(key, { labels });
  const upper = options.find((option) => option.startsWith("upperdir="))?.slice("upperdir=".length);
  written.set(key, { path: `${upper ?? source}/file`, content: randomBytes(4 * 2 ** 20) });
}

const write = (key) => writeFileSync(written.get(key).path, written.get(key).content);

async function commit(key) {
  try {
    await snapshotter.commit(`${key} committed`, key, {});
    committed.push(key);
    return "committed";
  } catch (error) {
    return error.code;
  }
}

for (const key of ["before", "a", "b", "c"]) await prepare(key);
write("before");
assert.equal(await commit("before"), "committed");

// Three are unpacked, and each is lost; the kernel tells one flush of it.
disk.exhaust();
for (const key of ["a", "b", "c"]) write(key);
assert.ok(disk.flushFailsElsewhere(), "the disk did not fail");
for (const key of ["a", "b", "a", "c"]) assert.equal(await commit(key), "DATA_LOSS", key);

// One is written behind, and nobody waits for that.
disk.relieve();
const behind = "ns/1/extract-1 sha256:d";
await prepare(behind, { "containerd.io/snapshot.ref": "sha256:d" });
disk.exhaust();
warnings.length = 0;
write(behind);
for (let turn = 0; warnings.length === 0; turn++) {
  assert.ok(turn < 300, "nothing was written behind");
  await delay(100);
}
disk.relieve();
assert.equal(await commit(behind), "DATA_LOSS");

await snapshotter.close();
snapshotter = await open();
for (const key of ["a", "b", "c", behind]) assert.equal(await commit(key), "DATA_LOSS", key);
for (const key of ["a", "b", "c", behind]) await snapshotter.remove(key);
await prepare("after");
write("after");
assert.equal(await commit("after"), "committed");
await snapshotter.close();

disk.forget();
for (const key of committed) {
  const { path, content } = written.get(key);
  assert.ok(readFileSync(path).equals(content), `what was committed of ${key} is lost`);
}
