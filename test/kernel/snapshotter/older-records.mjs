/**
 * Brings older records of a root back, copied while its server ran, which was killed: argv is the driver and a folder.
 */
import assert from "node:assert/strict";
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { openGraphDriverSnapshotter } from "cleat/snapshotter";

import { factories } from "../graphdriver/scenarios/layers.mjs";

const [driver, folder, task] = process.argv.slice(2);
const root = `${folder}/root`;
const records = `${root}/.cleat/snapshots/records`;
const [older, newer] = [`${folder}/older`, `${folder}/newer`];
const program = join(import.meta.dirname, "../../../bin/cleat.mjs");
const fsck = () => spawnSync(process.execPath, [program, "fsck", "--driver", driver, root], { encoding: "utf8" });
const open = () => openGraphDriverSnapshotter({ driver: factories[driver], root });

if (task === "serve") await serveUntilKilled();
else await bringOlderBack();

async function serveUntilKilled() {
  const snapshotter = await open();
  for (const key of ["a", "b", "c"]) await snapshotter.prepare(key, {});
  copyFileSync(records, older);
  for (let count = 0; count < 20; count++) await snapshotter.prepare(`k${count}`, {});
  await new Promise((resolve) => process.send?.("prepared", resolve));
  setInterval(() => {}, 60_000);
}

async function bringOlderBack() {
  const server = fork(import.meta.filename, [driver, folder, "serve"]);
  await once(server, "message");
  server.kill("SIGKILL");
  await once(server, "exit");

  copyFileSync(records, newer);
  copyFileSync(older, records);
  await assert.rejects(open(), { code: "DATA_LOSS" });
  assert.match(fsck().stdout, /snapshots-unusable: records of snapshots end with change/);

  copyFileSync(newer, records);
  assert.equal(fsck().status, 0);
  const snapshotter = await open();
  await snapshotter.cleanup();
  for (let number = 0; number < 20; number++) await snapshotter.mounts(`k${number}`);
  await snapshotter.close();
}
