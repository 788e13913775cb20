/** Layers that others lie on. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";

import { buildArchive, file } from "cleat/testing";
import { factories, streamOf } from "./layers.mjs";

async function assertReadOnly(opened, id) {
  const path = await opened.get(id, {});
  assert.ok(existsSync(`${path}/f`));
  assert.throws(() => writeFileSync(`${path}/new`, ""), { code: "EROFS" });
  await opened.put(id);
}

/** The mark of Docker 20.10 and later, which a store of an earlier one has not. */
export async function parentsAreReadOnly(driver, folder) {
  const home = `${folder}/home`;
  const first = await factories[driver].open({ home });
  await first.create("base", {});
  await first.create("image", { parent: "base" });
  await first.applyDiff("image", "base", streamOf(buildArchive([file("f", "f")])));
  const before = await first.get("image", {});
  writeFileSync(`${before}/while-it-has-no-child`, "");
  await first.put("image");
  await first.createReadWrite("container", { parent: "image" });
  await assertReadOnly(first, "image");
  await first.close();

  const marks = ["base", "image"].map((id) => `${home}/${id}/committed`);
  for (const mark of marks) rmSync(mark);
  rmSync(`${home}/container/link`);
  writeFileSync(`${home}/container/link`, "damaged!");
  await first.close();
  const second = await factories[driver].open({ home });
  assert.deepEqual(
    marks.map((mark) => existsSync(mark)),
    [true, false],
  );
  await second.close();

  writeFileSync(`${home}/container/link`, "A".repeat(26));
  const third = await factories[driver].open({ home });
  for (const mark of marks) assert.deepEqual([statSync(mark).size, statSync(mark).mode & 0o777], [0, 0o600]);
  await assertReadOnly(third, "image");
  await third.close();
}

/** A layer is looked through for what overlay keeps elsewhere once it cannot change any more, and then never again. */
export async function parentsAreLookedThroughOnce(driver, folder) {
  const home = `${folder}/home`;
  const opened = await factories[driver].open({ home });
  await opened.create("base", {});
  for (const id of ["image", "other"]) {
    await opened.create(id, { parent: "base" });
    await opened.applyDiff(id, "base", streamOf(buildArchive([file("f", "f")])));
  }
  // As `docker save` does: a layer that has no child is mounted for writing, and nobody writes.
  await opened.get("image", {});
  await opened.createReadWrite("container", { parent: "image" });
  await opened.createReadWrite("unmounted", { parent: "other" });
  const marks = () => ["image", "other"].map((id) => readFileSync(`${home}/${id}/committed`, "latin1"));
  for (const id of ["container", "unmounted"]) await opened.get(id, {}).then(() => opened.put(id));
  assert.deepEqual(marks(), ["", ""], "what is mounted still may change; what never was needs no look");
  await opened.put("image");
  await opened.get("container", {});
  assert.deepEqual(marks(), ["whole", ""]);
  await opened.createReadWrite("second", { parent: "image" });
  assert.deepEqual(marks(), ["whole", ""]);
  await opened.close();
}
