/**
 * Stores that Docker's own overlay2 and Cleat's wrote in a user namespace, each read by the other:
 * `namespace-exchange.mjs FOLDER PROGRAM`, where the program is the plugin of moby's drivers. Fails with what went
 * wrong.
 */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";

import {
  assertSameTree,
  buildArchive,
  device,
  fifo,
  file,
  folder as aFolder,
  readTree,
  symlink,
} from "./archives-and-trees.mjs";
import { openers } from "../openers.mjs";
import { streamOf } from "./layers.mjs";

const netRaw = Buffer.from("0100000200200000000000000000000000000000", "hex");
const value = Buffer.from("v");

const base = [
  aFolder("dev"),
  device("character-device", "dev/null", [1, 3]),
  fifo("dev/pipe"),
  file("ping", "x", { xattrs: { "security.capability": netRaw } }),
  file("noted", "x", { uid: 65_535, gid: 7, xattrs: { "trusted.t": value } }),
  aFolder("opaque"),
  file("opaque/below", "x"),
  aFolder("etc"),
  file("etc/hosts", "localhost"),
  file("etc/gone", "x"),
  aFolder("again"),
  file("again/below", "x"),
];
const image = [
  aFolder("etc"),
  file("etc/.wh.gone", ""),
  aFolder("opaque"),
  file("opaque/.wh..wh..opq", ""),
  file("opaque/above", "x"),
  symlink("link", "etc"),
];

function work(root) {
  rmSync(`${root}/again`, { recursive: true });
  mkdirSync(`${root}/again`);
  writeFileSync(`${root}/again/new`, "new");
  renameSync(`${root}/etc/hosts`, `${root}/opaque/hosts`);
  chmodSync(`${root}/noted`, 0o600);
  rmSync(`${root}/link`);
}

async function makeStore(driver) {
  await driver.create("base", {});
  await driver.applyDiff("base", undefined, streamOf(buildArchive(base)));
  await driver.create("image", { parent: "base" });
  await driver.applyDiff("image", "base", streamOf(buildArchive(image)));
  await driver.createReadWrite("container", { parent: "image" });
  work(await driver.get("container", {}));
  await driver.put("container");
}

async function look(driver) {
  const trees = [];
  for (const id of ["base", "image", "container"]) {
    trees.push(readTree(await driver.get(id, {})));
    await driver.put(id);
  }
  const changes = await driver.changes("container", "image");
  return { trees, changes: changes.map(({ kind, path }) => `${kind} ${path}`).toSorted() };
}

/** What the container's diff makes of the image. */
async function commit(driver, diff, id) {
  await driver.create(id, { parent: "image" });
  await driver.applyDiff(id, "image", diff);
  const tree = readTree(await driver.get(id, {}));
  await driver.put(id);
  return tree;
}

const [path, program] = process.argv.slice(2);
const opens = {
  cleat: openers.inProcess({ driver: "overlay2" }),
  moby: openers.somebodyElses({ driver: "overlay2", program }),
};

for (const [maker, reader] of [
  ["cleat", "moby"],
  ["moby", "cleat"],
]) {
  const home = `${path}/${maker}`;
  const first = await opens[maker]({ home });
  await makeStore(first);
  const made = await look(first);
  assert.ok(!made.trees[0].has("dev/null") && made.trees[0].has("dev/pipe"), `${maker} makes no devices`);
  const own = await commit(first, await first.diff("container", "image"), "own-copy");
  await first.close();

  const second = await opens[reader]({ home });
  assert.equal(Object.fromEntries(await second.status()).userxattr, "true");
  const read = await look(second);
  for (const [at, tree] of made.trees.entries()) assertSameTree(read.trees[at], tree, `layer ${at} of ${maker}`);
  assert.deepEqual(read.changes, made.changes);
  const copy = await commit(second, await second.diff("container", "image"), "other-copy");
  assertSameTree(withoutTimes(copy), withoutTimes(own), `a diff of ${reader}'s`);
  await second.close();
}

/** Folders that are made anew have the time of their making. */
function withoutTimes(tree) {
  return new Map([...tree].map(([name, node]) => [name, { ...node, mtimeNs: undefined }]));
}
