/** Layers whose folders hand on a project of their own, to which the kernel lets nothing of another be renamed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

import { openStore } from "cleat/layerstore";
import { builtInFactories } from "cleat/selection";
import { buildArchive, file } from "./archives-and-trees.mjs";

import { factories, namesOf, streamOf } from "./layers.mjs";

/** As Docker's own driver leaves a container with a size: its folder and all in it, by what that hands on. */
export async function layersOfOtherProjects(name, folder) {
  const home = `${folder}/home`;
  const open = () => factories[name].open({ home });
  const first = await open();
  for (const [id, parent] of [["base"], ["top", "base"], ["loose"], ["last", "base"]])
    await first.create(id, { parent });
  await first.close();
  for (const [at, id] of ["base", "top", "loose", "last"].entries()) giveProject(`${home}/${id}`, 100 + at);
  // A home that hands on a project, as an operator's, has it in staging.
  for (const path of [home, `${home}/.cleat/staging`]) execFileSync("chattr", ["-p", "7", "+P", path]);

  const driver = await open();
  const fill = (id, parent) => driver.applyDiff(id, parent, streamOf(buildArchive([file(`of-${id}`, id)])));
  await fill("base", undefined);
  await fill("top", "base");
  assert.deepEqual(await namesOf(driver, "top"), ["of-base", "of-top"]);
  await fill("loose", undefined);
  await driver.rebase("loose", "base");
  assert.deepEqual(await namesOf(driver, "loose"), ["of-base", "of-loose"]);
  await driver.rebase("loose", undefined);
  assert.deepEqual(await namesOf(driver, "loose"), ["of-loose"]);
  await driver.createReadWrite("container", { parent: "last" });
  await driver.close();

  const lower = readFileSync(`${home}/last/lower`, "utf8");
  writeFileSync(`${home}/last/lower`, "damaged");
  const store = openStore({ home, drivers: builtInFactories, driver: name });
  const { left } = await store.repair();
  await store.close();
  assert.deepEqual(left, []);
  assert.equal(readFileSync(`${home}/last/lower`, "utf8"), lower);

  const second = await open();
  for (const id of ["container", "top", "loose", "last", "base"]) await second.remove(id);
  await second.close();
  assert.deepEqual(readdirSync(`${home}/l`), []);
}

function giveProject(path, id) {
  execFileSync("chattr", ["-R", "-p", String(id), path]);
  const folders = ["diff", "work"].filter((one) => existsSync(`${path}/${one}`));
  execFileSync("chattr", ["+P", path, ...folders.map((one) => `${path}/${one}`)]);
}
