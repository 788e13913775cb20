/** Layers that others lie on. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";

import { buildArchive, file } from "./archives-and-trees.mjs";
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
  const lower = readFileSync(`${home}/container/lower`);
  writeFileSync(`${home}/container/lower`, "damaged!");
  await first.close();
  const second = await factories[driver].open({ home });
  assert.deepEqual(
    marks.map((mark) => existsSync(mark)),
    [true, false],
  );
  await second.close();

  writeFileSync(`${home}/container/lower`, lower);
  const third = await factories[driver].open({ home });
  for (const mark of marks) assert.deepEqual([statSync(mark).size, statSync(mark).mode & 0o777], [0, 0o600]);
  await assertReadOnly(third, "image");
  await third.close();
}

/** Mounts by this driver leave a layer whole; one by anybody else is looked after once, when it is over. */
export async function layersAreLookedThroughOnce(driver, folder) {
  const home = `${folder}/home`;
  const opened = await factories[driver].open({ home });
  await opened.create("base", {});
  await opened.create("image", { parent: "base" });
  await opened.applyDiff("image", "base", streamOf(buildArchive([file("f", "f")])));
  await opened.createReadWrite("container", { parent: "image" });
  const mark = () => readFileSync(`${home}/container/whole`, "latin1");
  const ownFolder = () => statSync(`${home}/container/work/work`, { bigint: true });
  const lastMount = () => `${ownFolder().ino}:${ownFolder().birthtimeNs}`;
  await opened.get("container", {});
  await opened.put("container");
  assert.equal(mark(), lastMount());
  assert.ok(!existsSync(`${home}/image/whole`), "what was never mounted for writing needs no mark");

  const { UpperDir, LowerDir, WorkDir, MergedDir } = await opened.metadata("container");
  mkdirSync(MergedDir);
  run("mount", "-t", "overlay", "-o", `lowerdir=${LowerDir},upperdir=${UpperDir},workdir=${WorkDir}`, "o", MergedDir);
  assert.notEqual(mark(), lastMount());
  await opened.changes("container", "image");
  assert.notEqual(mark(), lastMount(), "what is mounted may change");
  run("umount", MergedDir);
  await opened.changes("container", "image");
  assert.equal(mark(), lastMount());
  await opened.close();
}

function run(command, ...args) {
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}
