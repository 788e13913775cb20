/** An archive that is small when it is compressed, and whose paths do not fit into a thread's memory. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";

import { buildArchive, folder as directory } from "./archives-and-trees.mjs";

import { assertRefused, factories, whenTrashIsEmpty } from "./layers.mjs";

const above = Array.from({ length: 15 }, (_, at) => String.fromCharCode(97 + at).repeat(252)).join("/");
const endBytes = 1024;

/** Entries that differ in their last seven digits. */
async function* manyFolders(count) {
  const one = buildArchive([directory(`${above}/0000000`)]);
  const entry = one.subarray(0, one.length - endBytes);
  const at = entry.lastIndexOf("/0000000") + 1;
  assert.ok(at > 512, "the path is in no PAX record");
  const piece = 200;
  for (let made = 0; made < count; made += piece) {
    const entries = Buffer.concat(Array.from({ length: piece }, () => entry));
    for (let n = 0; n < piece; n++) {
      entries.write(String(made + n).padStart(7, "0"), n * entry.length + at, "latin1");
    }
    yield entries;
  }
  yield Buffer.alloc(endBytes);
}

export async function longPaths(name, folder) {
  const home = `${folder}/home`;
  const driver = await factories[name].open({ home, options: ["cleat.exact_diffs=true"] });
  await driver.create("layer", {});
  await assertRefused(
    driver.applyDiff("layer", undefined, manyFolders(300_000)),
    "INVALID_ARGUMENT",
    "layer",
    "memory",
  );
  await driver.applyDiff("layer", undefined, manyFolders(200));
  await whenTrashIsEmpty(home);
  assert.deepEqual(readdirSync(`${home}/.cleat/staging`), []);
  await driver.close();
}
