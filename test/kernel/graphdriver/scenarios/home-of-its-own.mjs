/** A home that is a file system of its own, and what stands in homes beside layers. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

import { builtInFactories, createDriverRegistry, decideDriver } from "cleat/selection";
import { openStore } from "cleat/layerstore";

import { assertNothingStaged, assertRefused, factories, namesOf, toLayer } from "./layers.mjs";

/** What mke2fs made, or would have, and quota tools: known, and no layers. */
export async function homeOfItsOwn(name, home) {
  mkdirSync(`${home}/lost+found`, { recursive: true });
  writeFileSync(`${home}/lost+found/#12`, "found");
  for (const file of ["aquota.user", "aquota.group", ".Trash-1000", ".nfs0123abcd"])
    writeFileSync(`${home}/${file}`, "");
  execFileSync("chattr", ["+i", `${home}/aquota.user`, `${home}/lost+found/#12`]);
  const { prior } = await decideDriver({ home }, createDriverRegistry(builtInFactories));
  assert.deepEqual(prior, []);
  const driver = await factories[name].open({ home });
  for (const id of ["lost+found", "aquota.user"]) {
    await assertRefused(driver.create(id, {}), "INVALID_ARGUMENT", id);
    await assertRefused(driver.exists(id), "INVALID_ARGUMENT", id);
    await assertRefused(driver.remove(id), "INVALID_ARGUMENT", id);
  }
  await driver.create("layer", {});
  await driver.applyDiff("layer", undefined, toLayer.stream());
  await driver.createReadWrite("container", { parent: "layer" });
  await driver.remove("container");
  await driver.close();
  const again = await factories[name].open({ home });
  assert.equal((await namesOf(again, "layer")).length, toLayer.names);
  await again.close();
  const store = openStore({ home, drivers: builtInFactories, driver: name });
  assert.deepEqual((await store.check()).findings, []);
  assert.deepEqual(
    (await store.describe()).layers.map(({ id }) => id),
    ["layer"],
  );
  await store.close();
  assert.equal(readFileSync(`${home}/lost+found/#12`, "utf8"), "found");
  execFileSync("chattr", ["-i", `${home}/aquota.user`, `${home}/lost+found/#12`]);
}

/** Mounts in what a crash left or a container made: no store is kept shut, nothing mounted lost. */
export async function mountsInTrash(name, folder) {
  const home = `${folder}/home`;
  const driver = await factories[name].open({ home });
  await driver.create("layer", {});
  const path = await driver.get("layer", {});
  const places = [`${path}/d/mounted`, `${home}/.cleat/trash/left/mounted`, `${home}/.cleat/staging/left/mounted`];
  mkdirSync(`${folder}/elsewhere`);
  for (const [at, place] of places.entries()) {
    mkdirSync(place, { recursive: true });
    // Another file system, and a folder of this one.
    if (at === 1) execFileSync("mount", ["-t", "tmpfs", "elsewhere", place]);
    else execFileSync("mount", ["--bind", `${folder}/elsewhere`, place]);
    writeFileSync(`${place}/kept`, "kept");
  }
  await driver.remove("layer").catch((error) => assert.equal(error.code, "FAILED_PRECONDITION", error.stack));
  assert.equal(await driver.exists("layer"), false);
  assert.deepEqual(readdirSync(`${folder}/elsewhere`), ["kept"]);
  await driver.close();
  await (await factories[name].open({ home })).close();
  assert.deepEqual(readdirSync(`${folder}/elsewhere`), ["kept"]);
  execFileSync("sh", [
    "-c",
    `grep -o ' ${home}/[^ ]*' /proc/self/mountinfo | while read -r at; do umount -l "$at"; done`,
  ]);
  await (await factories[name].open({ home })).close();
  await assertNothingStaged(name, home);
  assert.ok(existsSync(`${folder}/elsewhere/kept`));
}

/** A disk of its own for what Cleat keeps beside the layers: whatever is mounted there is the operator's. */
export async function mountsBesideLayers(name, folder) {
  const home = `${folder}/home`;
  await (await factories[name].open({ home })).close();
  const place = `${home}/.cleat/snapshots`;
  mkdirSync(place);
  execFileSync("mount", ["-t", "tmpfs", "records", place]);
  writeFileSync(`${place}/kept`, "kept");
  try {
    await (await factories[name].open({ home })).close();
    const store = openStore({ home, drivers: builtInFactories, driver: name });
    assert.deepEqual((await store.check()).findings, []);
    await store.close();
    assert.ok(existsSync(`${place}/kept`), "it was unmounted");
  } finally {
    execFileSync("umount", [place]);
  }
}
