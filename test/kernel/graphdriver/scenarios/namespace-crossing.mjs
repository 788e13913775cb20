/** A store of root of a user namespace, opened by the host's root, and the other way round: each would misread it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

import { buildArchive, file, folder as aFolder } from "cleat/testing";
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

export async function storesOfNamespaces(driver, path) {
  inNamespace("makesStoreHere", driver, `${path}/inner`);
  await refusesStoreHere(driver, `${path}/inner`);
  inNamespace("readsStoreHere", driver, `${path}/inner`);
  await makesStoreHere(driver, `${path}/outer`);
  inNamespace("refusesStoreHere", driver, `${path}/outer`);
  await readsStoreHere(driver, `${path}/outer`);
}
