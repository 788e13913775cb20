/** Extended attributes that the file system does not keep. */
import assert from "node:assert/strict";

import { buildArchive, fifo, file, folder as aFolder } from "cleat/testing";

import { assertNothingStaged, assertRefused, factories, namesOf, streamOf } from "./layers.mjs";

const refused = [
  ["foo.bar", "UNIMPLEMENTED", file("kept/f", "x", { xattrs: { "foo.bar": Buffer.from("x") } })],
  ["foo.dir", "UNIMPLEMENTED", aFolder("kept/d", { xattrs: { "foo.dir": Buffer.from("x") } })],
  // user. is for files and folders only: xattr(7).
  ["user.pipe", "PERMISSION_DENIED", fifo("kept/p", { xattrs: { "user.pipe": Buffer.from("x") } })],
  // More than the kernel takes: XATTR_SIZE_MAX, limits.h.
  ["user.large", undefined, file("kept/l", "x", { xattrs: { "user.large": Buffer.alloc(70_000, 1) } })],
];

export async function refusedAttributes(driver, folder) {
  const home = `${folder}/home`;
  const opened = await factories[driver].open({ home });
  for (const [name, code, entry] of refused) {
    await opened.create("layer", {});
    const archive = buildArchive([aFolder("kept"), file("kept/before", "b"), entry]);
    const apply = opened.applyDiff("layer", undefined, streamOf(archive));
    const path = entry.header.name.toString().replace(/\/$/, "");
    if (code === undefined)
      await assert.rejects(apply, (error) => error.message.includes(name) && error.message.includes(path));
    else await assertRefused(apply, code, "layer", name, path);
    assert.deepEqual(await namesOf(opened, "layer"), []);
    assertNothingStaged(driver, home);
    await opened.remove("layer");
  }
  await opened.close();
}
