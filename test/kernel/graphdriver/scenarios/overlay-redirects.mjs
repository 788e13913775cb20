/**
 * Layers on one whose folders were renamed under `redirect_dir`, as a container that Docker ran on a kernel that has it
 * on: what lies in them is in layers below at other paths. Each archive is applied there, and to a flat copy of what
 * the container showed; what the two show then is the same, or the archive was refused.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";

import { assertSameTree, buildArchive, file, folder, opaque, readTree, whiteout } from "./archives-and-trees.mjs";
import { factories, streamOf } from "./layers.mjs";

const image = buildArchive([
  folder("app", { mode: 0o750 }),
  folder("app/sub", { mode: 0o711, uid: 7 }),
  file("app/sub/deep", "deep"),
  folder("app/sub/nested", { mode: 0o700, uid: 9 }),
  folder("app/sub/nested/inner", { mode: 0o701 }),
  file("app/sub/nested/inner/f", "f"),
  file("app/sub/nested/kept", "kept"),
  file("app/big", "big"),
  folder("far", { mode: 0o701 }),
  folder("far/inner", { mode: 0o702 }),
  file("far/inner/f", "f"),
  folder("etc"),
  file("etc/hosts", "localhost"),
]);

function work(root) {
  renameSync(`${root}/app`, `${root}/moved`);
  renameSync(`${root}/moved/sub`, `${root}/etc/sub`);
  mkdirSync(`${root}/app`);
  renameSync(`${root}/far`, `${root}/app/far`); // into one that hides what is below
  renameSync(`${root}/moved`, `${root}/moved-on`);
  renameSync(`${root}/moved-on`, `${root}/moved`);
  writeFileSync(`${root}/app/other`, "other");
  writeFileSync(`${root}/etc/sub/new`, "new");
  chmodSync(`${root}/etc/sub/deep`, 0o600);
}

const archives = {
  "a file in a folder that no layer has there": [file("etc/sub/nested/x", "x")],
  "one further down": [file("etc/sub/nested/inner/x", "x")],
  "one in the renamed folder itself": [file("moved/x", "x")],
  "a whiteout of a file that lies elsewhere": [whiteout("etc/sub/nested/kept")],
  "a whiteout of a file in a folder further down": [whiteout("etc/sub/nested/inner/f")],
  "a whiteout of a folder that lies elsewhere": [whiteout("etc/sub/nested")],
  "a whiteout of a renamed folder": [whiteout("etc/sub"), whiteout("moved")],
  "a whiteout and the folder anew": [whiteout("etc/sub"), folder("etc/sub"), file("etc/sub/only", "only")],
  "the folder and its whiteout after it": [folder("etc/sub"), file("etc/sub/only", "only"), whiteout("etc/sub/deep")],
  "an opaque folder": [folder("etc/sub"), opaque("etc/sub"), file("etc/sub/only", "only")],
  "an opaque folder that lies elsewhere": [opaque("etc/sub/nested"), file("etc/sub/nested/only", "only")],
  "a file for a renamed folder": [file("etc/sub", "now a file")],
  "a file for a folder that lies elsewhere": [file("etc/sub/nested", "now a file")],
  "a folder for a file that lies elsewhere": [folder("etc/sub/nested/kept"), file("etc/sub/nested/kept/x", "x")],
  "other attributes of a folder that lies elsewhere": [folder("etc/sub/nested", { mode: 0o555 })],
  "a file in a folder that was renamed and made anew": [file("app/new", "new")],
  "a folder by the name that one had before": [folder("app/sub"), file("app/sub/x", "x")],
  "a file in a folder that was renamed into a new one": [file("app/far/inner/x", "x")],
  "one that is not told": [file("app/sub/nested/x", "x")],
};

export async function archivesOnRedirects(name, path) {
  const overlay = await factories[name].open({ home: `${path}/home` });
  const flat = await factories.vfs.open({ home: `${path}/flat` });
  const parentTree = await runElsewhere(overlay, path);
  await copyFlat(flat, overlay);
  assertSameTree(await treeOf(flat, "container"), parentTree, "the flat copy");
  const problems = [];
  for (const [at, [title, entries]] of Object.entries(archives).entries()) {
    try {
      await compare(overlay, flat, `child-${at}`, buildArchive(entries));
    } catch (error) {
      problems.push(`${title}: ${error.message}`);
    }
  }
  assert.deepEqual(problems, []);
  await Promise.all([overlay.close(), flat.close()]);
}

async function compare(overlay, flat, id, archive) {
  const outcomes = [];
  for (const driver of [overlay, flat]) {
    await driver.create(id, { parent: "container" });
    outcomes.push(
      await driver.applyDiff(id, "container", streamOf(archive)).then(
        () => "applied",
        (error) => error,
      ),
    );
  }
  const [applied, expected] = outcomes;
  if (applied !== "applied" && expected !== "applied") return;
  if (expected !== "applied") throw new Error(`the flat copy refuses it (${expected.message})`);
  if (applied !== "applied") {
    assert.match(applied.message, /redirect_dir/);
    return;
  }
  const tree = await treeOf(flat, id);
  assertSameTree(asCopied(await treeOf(overlay, id)), asCopied(tree), id);
  const shown = async (driver) =>
    (await driver.changes(id, "container")).map(({ kind, path }) => `${kind} ${path.toString("latin1")}`);
  assert.deepEqual(await shown(overlay), await shown(flat));
  const again = `${id}-again`;
  await flat.create(again, { parent: "container" });
  await flat.applyDiff(again, "container", await overlay.diff(id, "container"));
  assertSameTree(asCopied(await treeOf(flat, again)), asCopied(tree), `the diff of ${id}`);
}

/** What an engine sees of a folder's time and size depends on the file system and on when a child was made. */
function asCopied(tree) {
  const view = (node) => ({ ...node, names: undefined, ...(node.kind === "folder" && { mtimeNs: 0n }) });
  return new Map([...tree].map(([path, node]) => [path, { ...view(node), mtimeNs: 0n }]));
}

/** A container of the image that ran under another's settings; returns what it showed. */
async function runElsewhere(driver, path) {
  await driver.create("image", {});
  await driver.applyDiff("image", undefined, streamOf(image));
  await driver.createReadWrite("container", { parent: "image" });
  const { UpperDir, LowerDir, WorkDir } = await driver.metadata("container");
  const merged = `${path}/elsewhere`;
  mkdirSync(merged);
  const data = `redirect_dir=on,metacopy=off,index=off,lowerdir=${LowerDir},upperdir=${UpperDir},workdir=${WorkDir}`;
  run("mount", "-t", "overlay", "overlay", "-o", data, merged);
  try {
    work(merged);
    return readTree(merged);
  } finally {
    run("umount", merged);
  }
}

async function copyFlat(flat, overlay) {
  await flat.createReadWrite("container", {});
  const [from, to] = [await overlay.get("container", {}), await flat.get("container", {})];
  run("cp", "-a", "--", `${from}/.`, to);
  await Promise.all([overlay.put("container"), flat.put("container")]);
}

async function treeOf(driver, id) {
  const path = await driver.get(id, {});
  try {
    return readTree(path);
  } finally {
    await driver.put(id);
  }
}

function run(command, ...args) {
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}
