/** Extended attributes that the file system does not keep. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";

import { buildArchive, fifo, file, folder as aFolder, symlink } from "./archives-and-trees.mjs";

import { assertNothingStaged, assertRefused, factories, namesOf, streamOf } from "./layers.mjs";

const value = Buffer.from("x");
const strange = [
  ["foo.bar", "UNIMPLEMENTED", file("kept/f", "x", { xattrs: { "foo.bar": value } })],
  ["foo.dir", "UNIMPLEMENTED", aFolder("kept/d", { xattrs: { "foo.dir": value } })],
  // user. is for files and folders only: xattr(7).
  ["user.pipe", "PERMISSION_DENIED", fifo("kept/p", { xattrs: { "user.pipe": value } })],
  // More than the kernel takes: XATTR_SIZE_MAX, limits.h.
  ["user.large", undefined, file("kept/l", "x", { xattrs: { "user.large": Buffer.alloc(70_000, 1) } })],
];

export async function refusedAttributes(driver, folder) {
  const home = `${folder}/home`;
  const opened = await factories[driver].open({ home, options: ["cleat.strict_attributes=true"] });
  for (const [name, code, entry] of strange) {
    await opened.create("layer", {});
    const archive = buildArchive([aFolder("kept"), file("kept/before", "b"), entry]);
    const apply = opened.applyDiff("layer", undefined, streamOf(archive));
    const path = entry.header.name.toString().replace(/\/$/, "");
    if (code === undefined)
      await assert.rejects(apply, (error) => error.message.includes(name) && error.message.includes(path));
    else await assertRefused(apply, code, "layer", name, path);
    assert.deepEqual(await namesOf(opened, "layer"), []);
    await assertNothingStaged(driver, home);
    await opened.remove("layer");
  }
  await opened.close();
}

/** More names than a warning holds, on a thousand files. */
export async function attributesLeftOut(driver, folder) {
  const warnings = [];
  const logger = { debug() {}, info() {}, error() {}, warn: (...line) => warnings.push(line) };
  const opened = await factories[driver].open({ home: `${folder}/home`, logger });
  const many = Array.from({ length: 1000 }, (_, at) =>
    file(`f${at}`, "", { xattrs: { [`com.apple.n${at % 30}`]: value } }),
  );
  const link = symlink("l", "f0", { xattrs: { "user.on_link": value } });
  const entries = [link, aFolder("kept"), ...strange.map(([, , entry]) => entry), ...many];
  await opened.create("layer", {});
  await opened.applyDiff("layer", undefined, streamOf(buildArchive(entries)));
  assert.equal(warnings.length, 1);
  const [{ layer, count, names }, text] = warnings[0];
  assert.deepEqual([layer, count, names.length], ["layer", 1005, 20]);
  // Those of folders come in the end.
  assert.deepEqual(names.slice(0, 4), ["user.on_link", "foo.bar", "user.pipe", "user.large"]);
  assert.equal(text, "1005 extended attributes were left out of the layer: the file system cannot hold them");
  assert.equal((await namesOf(opened, "layer")).length, entries.length);
  await opened.create("plain", { parent: "layer" });
  await opened.applyDiff("plain", "layer", streamOf(buildArchive([file("f", "f")])));
  assert.equal(warnings.length, 1);
  await opened.close();
}

/** What is too large for its block is not a full disk, and a full disk is none that cannot hold an attribute. */
export async function attributesWithoutRoom(driver, folder) {
  const warnings = [];
  const logger = { debug() {}, info() {}, error() {}, warn: (...line) => warnings.push(line) };
  const opened = await factories[driver].open({ home: `${folder}/home`, logger });
  const large = Buffer.alloc(20_000, 1);
  await opened.create("layer", {});
  await opened.applyDiff("layer", undefined, [buildArchive([file("f", "x", { xattrs: { "user.large": large } })])]);
  assert.deepEqual(
    warnings.map(([{ names }]) => names),
    [["user.large"]],
  );
  const notes = Array.from({ length: 20_000 }, (_, at) =>
    file(`n${at}`, "", { xattrs: { "user.note": Buffer.alloc(3000, at) } }),
  );
  await opened.create("full", {});
  await assertRefused(opened.applyDiff("full", undefined, streamOf(buildArchive(notes))), "RESOURCE_EXHAUSTED", "full");
  assert.equal(warnings.length, 1);
  await opened.close();
}

/** The kernel lists 64 KiB of names, and xfs keeps more. */
export async function attributesUnlisted(driver, folder) {
  const opened = await factories[driver].open({ home: `${folder}/home` });
  for (const [id, make] of [
    ["file", (path) => writeFileSync(path, "x")],
    ["folder", (path) => mkdirSync(path)],
    ["link", (path) => execFileSync("ln", ["-s", "to", path])],
  ]) {
    await opened.createReadWrite(id, {});
    const path = `${await opened.get(id, {})}/noted`;
    make(path);
    const prefix = id === "link" ? "trusted" : "user";
    const set = `for at in $(seq 1000 1300); do setfattr -h -n ${prefix}.$0-$at -v v "$1"; done`;
    execFileSync("sh", ["-c", set, "n".repeat(230), path]);
    const about = (error) =>
      error.code === "OUT_OF_RANGE" && error.message.includes("/noted") && error.message.includes("64 KiB");
    await assert.rejects(opened.createReadWrite("child", { parent: id }), about);
    assert.equal(await opened.exists("child"), false);
    await opened.put(id);
  }
  await opened.close();
}
