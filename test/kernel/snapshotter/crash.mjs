/** `kill -9` of a snapshotter at each of its steps, and what the next one finds. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

import { openers } from "./openers.mjs";

const [driver, root, count, durability = "layer"] = process.argv.slice(2);
/** What was acknowledged in all lives. */
const there = new Set();
/** What had begun when a life ended: done or not. */
const undecided = new Set();

for (let life = 0; life < Number(count); life++) {
  // Each line begins or ends a step; a step takes some milliseconds.
  await liveUntilKilled(life, { lines: 2 + life * 3, ms: [0, 1, 3, 8][life % 4] });
  const snapshotter = await openers.inProcess(driver)(root, { durability });
  const infos = new Map();
  for await (const info of snapshotter.list()) infos.set(info.name, info);
  for (const name of there)
    assert.ok(infos.has(name), `"${name}" was acknowledged in life ${life} or before, and is gone`);
  for (const { name, kind } of infos.values()) {
    assert.ok(there.has(name) || undecided.has(name), `"${name}" is there that nobody was told of`);
    assert.equal((await snapshotter.stat(name)).kind, kind); // its files are there
    if (kind === "committed") await assertWhole(snapshotter, name);
  }
  await assertNothingElse(snapshotter, infos);
  await snapshotter.close();
  for (const name of infos.keys()) there.add(name);
  for (const name of undecided) if (!infos.has(name)) there.delete(name);
  undecided.clear();
}

async function liveUntilKilled(life, { lines, ms }) {
  const worker = spawn(
    process.execPath,
    [`${import.meta.dirname}/crash-worker.mjs`, driver, root, String(life), durability],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const ended = once(worker, "exit");
  let heard = 0;
  for await (const line of createInterface(worker.stdout)) {
    hear(line);
    if (++heard === lines) void delay(ms).then(() => worker.kill("SIGKILL"));
  }
  assert.deepEqual(await ended, [null, "SIGKILL"], "the worker ended by itself");
}

function hear(line) {
  const [mark, what, name] = line.split(" ");
  const key = `ns/1/extract-${name}`;
  if (mark === "?") {
    undecided.add(name);
    if (what === "remove") there.delete(name);
    if (what === "update") there.add(name);
    if (what === "commit") {
      there.delete(key);
      undecided.add(key);
    }
  }
  if (mark === "!") {
    undecided.delete(name);
    if (what !== "remove") there.add(name);
    if (what === "commit") undecided.delete(key);
  }
}

/** All files that were unpacked, and of the layer below. */
async function assertWhole(snapshotter, name) {
  const view = `whole ${name}`;
  const [{ source, options }] = await snapshotter.view(view, { parent: name });
  const lowers = options
    .find((option) => option.startsWith("lowerdir="))
    ?.slice("lowerdir=".length)
    .split(":");
  const folders = lowers ?? [source];
  const names = name.startsWith("top") ? [name, name.replace("top", "base")] : [name];
  for (const each of names) {
    const folder = folders.find((path) => readdirSync(path).includes(each));
    assert.ok(folder !== undefined, `files of "${each}" are not in "${name}"`);
    for (let file = 0; file < 20; file++)
      assert.equal(readFileSync(`${folder}/${each}/${file}`, "utf8"), `${each} ${file}`);
  }
  await snapshotter.remove(view);
}

/** Every layer is a snapshot's, and nothing is left of what was being made or deleted. */
async function assertNothingElse(snapshotter, infos) {
  await snapshotter.cleanup();
  const home = `${root}/snapshots`;
  const places = [...infos.values()].filter(({ kind, parent }) => kind !== "view" || parent === undefined);
  const layers = readdirSync({ btrfs: `${home}/subvolumes`, vfs: `${home}/dir` }[driver] ?? home);
  assert.equal(layers.filter((name) => /^\d+$/.test(name)).length, places.length);
  for (const folder of ["staging", "trash"]) assert.deepEqual(readdirSync(`${home}/.cleat/${folder}`), []);
}
