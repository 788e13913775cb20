/** Stores of root of a user namespace, and what the host's root does with them or for them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";

import { withFolderAt } from "cleat/layer";
import { setProject } from "#dist/syscall/index.js";
import { buildArchive, file, folder as aFolder } from "./archives-and-trees.mjs";
import { assertRefused, factories, streamOf } from "./layers.mjs";

const image = [
  [aFolder("d"), file("d/below", "x")],
  [aFolder("d"), file("d/.wh..wh..opq", "")],
];

/** A folder that hides what lies below it. */
export async function makesStoreHere(driver, home) {
  const opened = await factories[driver].open({ home });
  for (const [at, entries] of image.entries()) {
    const parent = at === 0 ? undefined : `layer-${at - 1}`;
    await opened.create(`layer-${at}`, { parent });
    await opened.applyDiff(`layer-${at}`, parent, streamOf(buildArchive(entries)));
  }
  await opened.close();
  await readsStoreHere(driver, home);
}

export async function readsStoreHere(driver, home) {
  const opened = await factories[driver].open({ home });
  const path = await opened.get("layer-1", {});
  assert.ok(existsSync(`${path}/d`) && !existsSync(`${path}/d/below`));
  await opened.put("layer-1");
  await opened.close();
}

export async function refusesStoreHere(driver, home) {
  await assertRefused(factories[driver].open({ home }), "FAILED_PRECONDITION", driver, "open it there");
}

function inNamespace(...scenario) {
  const inner = [process.execPath, `${import.meta.dirname}/main.mjs`, ...scenario];
  const { status, stderr } = spawnSync("unshare", ["--user", "--map-root-user", "--mount", ...inner], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
}

/** Each would misread the other's. */
export async function storesOfNamespaces(driver, path) {
  inNamespace("makesStoreHere", driver, `${path}/inner`);
  await refusesStoreHere(driver, `${path}/inner`);
  inNamespace("readsStoreHere", driver, `${path}/inner`);
  await makesStoreHere(driver, `${path}/outer`);
  inNamespace("refusesStoreHere", driver, `${path}/outer`);
  await readsStoreHere(driver, `${path}/outer`);
}

/**
 * A quota on a user's folder, on xfs: what is made in it is of the user's project, and only the host's root can change
 * that.
 */
export async function projectOfUser(driver, path) {
  const home = `${path}/home`;
  mkdirSync(home);
  withFolderAt(home, (folder) => setProject(folder, { id: 7, inherits: true }));
  inNamespace("makesStoreHere", driver, home);
  inNamespace("removesLayerHere", driver, home);
}

export async function removesLayerHere(driver, home) {
  const opened = await factories[driver].open({ home });
  await opened.remove("layer-1");
  assert.equal(await opened.exists("layer-1"), false);
  await opened.close();
}
