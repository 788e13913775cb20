/**
 * A process that may have 1,024 descriptors, as many shells and units allow, under an ordinary load and an
 * extraordinary one.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { buildArchive, file, folder } from "./archives-and-trees.mjs";

import { factories, namesOf, streamOf } from "./layers.mjs";

const limit = 1024;

export function fewDescriptors(driver, home) {
  const command = [process.execPath, fileURLToPath(import.meta.url), driver, home];
  execFileSync("sh", ["-c", `ulimit -n ${limit} && exec "$@"`, "sh", ...command], { stdio: "inherit" });
}

async function work(name, home) {
  const driver = await factories[name].open({ home: `${home}/home`, durability: "none" });
  try {
    await manyAtOnce(driver);
    await highAndDeep(driver);
    await deepAndHidden(driver);
  } finally {
    await driver.close();
  }
}

const wide = buildArchive(Array.from({ length: 80 }, (_, at) => [folder(`d${at}`), file(`d${at}/f`, "x")]).flat());

/** 64 layers that are filled, looked at and archived at the same time. */
async function manyAtOnce(driver) {
  const layers = Array.from({ length: 64 }, (_, at) => `many-${at}`);
  await Promise.all(
    layers.map(async (id) => {
      await driver.create(id, {});
      await driver.applyDiff(id, undefined, streamOf(wide));
      const [changes] = await Promise.all([driver.changes(id), readDiff(driver, id), driver.diffSize(id)]);
      assert.equal(changes.length, 160);
      await driver.remove(id);
    }),
  );
}

const deepPath = Array.from({ length: 200 }, () => "d").join("/");

/**
 * A folder 200 deep that each of 120 layers shows through; what lies in it is changed, and asked for from all sides.
 */
async function highAndDeep(driver) {
  const folders = Array.from({ length: 200 }, (_, at) => folder(deepPath.slice(0, 2 * at + 1)));
  const height = Math.min(120, driver.capabilities.maxDepth - 2);
  let parent;
  for (let at = 0; at < height; at++) {
    const id = `layer-${at}`;
    await driver.create(id, { parent });
    await driver.applyDiff(id, parent, streamOf(buildArchive([...folders, file(`${deepPath}/of-${at}`, "x")])));
    parent = id;
  }
  await driver.createReadWrite("container", { parent });
  const path = await driver.get("container", {});
  writeFileSync(`${path}/${deepPath}/own`, "x");
  mkdirSync(`${path}/${deepPath}/more`);
  await driver.put("container");
  const found = await Promise.all(Array.from({ length: 8 }, () => driver.changes("container", parent)));
  const added = found.map((list) => list.filter(({ kind }) => kind === "added").map((one) => String(one.path)));
  for (const list of added) assert.deepEqual(list, [`/${deepPath}/more`, `/${deepPath}/own`]);
  await Promise.all(Array.from({ length: 8 }, () => readDiff(driver, "container", parent)));
  assert.equal((await namesOf(driver, "container")).filter((one) => one.startsWith(`${deepPath}/of-`)).length, height);
}

/** Near the end of what a path can name. */
const deepest = `${"d/".repeat(1500)}f`;

/** What an archive brings so deep, and hides, in either way; others are filled meanwhile, who are to notice nothing. */
async function deepAndHidden(driver) {
  await driver.create("below", {});
  await driver.applyDiff("below", undefined, streamOf(buildArchive([folder("d"), file("d/old", "x")])));
  const hide = (id, hiding) =>
    fillOn(driver, id, "below", buildArchive([file(deepest, "x"), hiding, file("last", "x")]));
  const fillOthers = async (at) => {
    for (let turn = 0; turn < 3; turn++) await fillOn(driver, `other-${at}-${turn}`, "below", wide);
  };
  await Promise.all([
    hide("opaque", file(".wh..wh..opq", "")),
    hide("hidden", file(".wh.d", "")),
    ...Array.from({ length: 6 }, (_, at) => fillOthers(at)),
  ]);
  for (const id of ["opaque", "hidden"]) {
    const path = await driver.get(id, {});
    assert.ok(existsSync(`${path}/${deepest}`));
    assert.ok(!existsSync(`${path}/d/old`));
    await driver.put(id);
  }
}

async function fillOn(driver, id, parent, archive) {
  await driver.create(id, { parent });
  await driver.applyDiff(id, parent, streamOf(archive));
}

async function readDiff(driver, id, parent) {
  let sizeBytes = 0;
  for await (const bytes of await driver.diff(id, parent)) sizeBytes += bytes.length;
  assert.ok(sizeBytes > 0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await work(process.argv[2], process.argv[3]);
