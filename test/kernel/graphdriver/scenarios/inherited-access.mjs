/** Homes in folders that give lists, groups and modes to what is made in them. */
import assert from "node:assert/strict";
import { chmodSync, chownSync, lstatSync, mkdirSync } from "node:fs";

import { lsetxattr } from "#dist/syscall/index.js";
import { assertSameTree, buildArchive, file, folder as aFolder, readTree, whiteout } from "./archives-and-trees.mjs";

import { factories } from "./layers.mjs";

/** As `setfacl -d -m u::rwx,u:1000:rwx,g::-,m::rwx,o::-`. Source: `linux/posix_acl_xattr.h` v6.1. */
const defaultList = Buffer.from(
  ["02000000", "01000700ffffffff", "02000700e8030000", "04000000ffffffff", "10000700ffffffff", "20000000ffffffff"].join(
    "",
  ),
  "hex",
);

const entries = [aFolder("d", { mode: 0o755 }), file("d/f", "f", { mode: 0o644 }), aFolder("t", { mode: 0o1777 })];
const above = [
  file("in/implied/f", "f", { mode: 0o4755 }),
  file("d/new", "n", { mode: 0o666 }),
  whiteout("t"),
  file("more/f", "f", { mode: 0o600 }),
];

/** Who maps ids has container's root pass through the home by its group. */
export async function nothingInherited(driver, folder) {
  const plain = await layersIn(driver, `${folder}/plain`);
  process.umask(0o077);
  const around = `${folder}/around`;
  mkdirSync(around);
  chownSync(around, 0, 7);
  chmodSync(around, 0o2770);
  lsetxattr(around, "system.posix_acl_default", defaultList);
  const spoiled = await layersIn(driver, `${around}/lib/home`);
  for (const [at, { tree, root }] of plain.layers.entries()) {
    assertSameTree(spoiled.layers[at].tree, tree, `layer ${at}`);
    assert.deepEqual(spoiled.layers[at].root, root, `root ${at}`);
  }
  assert.ok(spoiled.diff.equals(plain.diff), "diff");
}

async function layersIn(driver, home) {
  const maps = [{ containerId: 0, hostId: 100_000, size: 65_536 }];
  const opened = await factories[driver].open({ home, uidMaps: maps, gidMaps: maps });
  await opened.create("base", {});
  await opened.applyDiff("base", undefined, [buildArchive(entries)]);
  await opened.create("app", { parent: "base" });
  await opened.applyDiff("app", "base", [buildArchive(above)]);
  await opened.createReadWrite("container", { parent: "app" });
  await opened.createReadWrite("alone", {});
  const layers = [];
  for (const id of ["base", "app", "container", "alone"]) {
    const path = await opened.get(id, {});
    const { mode, uid, gid } = lstatSync(path);
    assert.deepEqual([mode & 0o7777, uid, gid], [0o755, 100_000, 100_000], `the root of ${id}`);
    for (let at = path.length; at > home.lastIndexOf("/"); at = path.lastIndexOf("/", at - 1))
      assertPassable(path.slice(0, at));
    const tree = new Map([...readTree(path)].map(([name, node]) => [name, { ...node, mtimeNs: undefined }]));
    await opened.put(id);
    layers.push({ tree, root: [mode, uid, gid] });
  }
  const diff = Buffer.concat(await (await opened.diff("base")).toArray());
  await opened.cleanup();
  await opened.close();
  return { layers, diff };
}

/** By root of a container. */
function assertPassable(path) {
  const { mode, uid, gid } = lstatSync(path);
  const isPassable = uid === 100_000 || (gid === 100_000 ? (mode & 0o010) !== 0 : (mode & 0o001) !== 0);
  assert.ok(isPassable || path.endsWith("/merged"), `${path} has mode ${mode.toString(8)} of ${uid}:${gid}`);
}
