/** Diffs of drivers that keep whole trees: what was not touched is not read, and what was is found, however hidden. */
import assert from "node:assert/strict";
import * as fs from "node:fs";

import { btrfs, vfs } from "cleat/drivers";
import { openGraphDriverSnapshotter } from "cleat/snapshotter";
import { createTarReader } from "cleat/tar";
import { createWorkerPool } from "#dist/workers/index.js";
import { performMount, unmount } from "#dist/testing/snapshotter/perform-mount.js";

const [name, folder] = process.argv.slice(2);
const driver = { btrfs, vfs }[name];
const home = `${folder}/snapshots`;
const jobs = { url: new URL("../../../dist/snapshotter/diff/jobs.js", import.meta.url).href };
const store = { home, url: driver.store.url };
const mebibyte = 2 ** 20;

const snapshotter = await openGraphDriverSnapshotter({ driver, root: home });
const pool = createWorkerPool({});
await within(await snapshotter.prepare("image key", {}), (path) => {
  for (const made of ["folder", "other"]) fs.mkdirSync(`${path}/${made}`);
  for (let at = 0; at < 32; at++)
    fs.writeFileSync(`${path}/folder/${at}`, Buffer.alloc(mebibyte, `${at} of the image`));
  for (const hidden of ["hidden", "moved", "deleted"]) fs.writeFileSync(`${path}/${hidden}`, "before");
});
await snapshotter.commit("image", "image key", {});
const container = await snapshotter.prepare("container", { parent: "image" });
await within(container, (path) => {
  const { atime, mtime } = fs.statSync(`${path}/hidden`);
  fs.writeFileSync(`${path}/hidden`, "behind");
  fs.utimesSync(`${path}/hidden`, atime, mtime);
  fs.renameSync(`${path}/moved`, `${path}/other/moved`);
  fs.rmSync(`${path}/deleted`);
  fs.writeFileSync(`${path}/new`, "new");
});
const plan = planOf(await snapshotter.view("view", { parent: "image" }), container);
const [known, unknown] = [await diff({ store }), await diff({})];
assert.ok(known.archive.equals(unknown.archive));
assert.deepEqual(
  namesOf(known.archive),
  ["other/", "other/moved", ".wh.deleted", "hidden", ".wh.moved", "new"].toSorted(),
);
assert.ok(unknown.readBytes >= 64 * mebibyte, `${unknown.readBytes} bytes were read`);
assert.ok(known.readBytes < 8 * mebibyte, `${known.readBytes} bytes were read`);
await pool.close();
await snapshotter.close();

function planOf([older], [newer]) {
  return { kind: "trees", newer: { folder: newer.source }, older: { folder: older.source } };
}

async function diff(options) {
  // Threads load their modules once.
  for await (const _ of pool.produce((ring) => pool.run(jobs, "archiveDiff", plan, ring, options)));
  const before = bytesRead();
  const parts = [];
  for await (const part of pool.produce((ring) => pool.run(jobs, "archiveDiff", plan, ring, options))) {
    parts.push(Buffer.from(part));
  }
  return { archive: Buffer.concat(parts), readBytes: bytesRead() - before };
}

function bytesRead() {
  return Number(/^rchar: (\d+)$/m.exec(fs.readFileSync("/proc/self/io", "utf8"))[1]);
}

function namesOf(archive) {
  const parts = [archive];
  const reader = createTarReader({ read: () => parts.shift() });
  const names = [];
  for (let header = reader.next(); header !== undefined; header = reader.next()) names.push(header.name.toString());
  return names.toSorted();
}

async function within([mount], work) {
  const target = `${folder}/target`;
  fs.mkdirSync(target, { recursive: true });
  performMount(mount, target);
  try {
    work(target);
  } finally {
    unmount(target);
  }
}
