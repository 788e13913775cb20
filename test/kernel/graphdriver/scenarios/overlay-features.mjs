/**
 * Containers that ran under overlay's other settings: renamed folders are redirected, changed files are without
 * content.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

import {
  assertSameTree,
  buildArchive,
  expectedChanges,
  file,
  folder,
  hardLink,
  readTree,
} from "./archives-and-trees.mjs";
import { createOverlay2Factory } from "#dist/drivers/overlay2/overlay2.js";
import { assertRefused, factories, streamOf } from "./layers.mjs";

const content = Buffer.alloc(100_000, "content");
const image = buildArchive([
  folder("app"),
  folder("app/sub"),
  file("app/sub/deep", "deep"),
  folder("app/sub/nested"),
  file("app/sub/nested/gone", "gone"),
  file("app/sub/nested/kept", "kept"),
  file("app/big", content),
  folder("etc"),
  file("etc/big", content),
  file("etc/hosts", "localhost"),
  file("twin", "twin"),
  hardLink("etc/twin", "twin"),
  folder("gone"),
  file("gone/f", "f"),
]);

/** Renames and changes, each of which the settings keep elsewhere, and what lies on top of them. */
function work(root) {
  renameSync(`${root}/app`, `${root}/moved`);
  renameSync(`${root}/moved/sub`, `${root}/etc/sub`);
  writeFileSync(`${root}/etc/sub/new`, "new");
  rmSync(`${root}/etc/hosts`);
  chmodSync(`${root}/etc/big`, 0o600);
  chmodSync(`${root}/moved/big`, 0o640);
  rmSync(`${root}/gone`, { recursive: true });
  mkdirSync(`${root}/app`);
  writeFileSync(`${root}/app/other`, "other");
}

/** An image, a container of it that somebody else ran, and what that one saw. */
async function runElsewhere(driver, folderOfTest, settings) {
  await driver.create("image", {});
  await driver.applyDiff("image", undefined, streamOf(image));
  await driver.createReadWrite("container", { parent: "image" });
  // What was whole after this driver's own mount need not be so after another.
  await driver.get("container", {});
  await driver.put("container");
  const { UpperDir, LowerDir, WorkDir } = await driver.metadata("container");
  const merged = `${folderOfTest}/elsewhere`;
  mkdirSync(merged);
  const data = `${settings},index=off,lowerdir=${LowerDir},upperdir=${UpperDir},workdir=${WorkDir}`;
  run("mount", "-t", "overlay", "overlay", "-o", data, merged);
  try {
    work(merged);
    return { upper: UpperDir, tree: readTree(merged) };
  } finally {
    run("umount", merged);
  }
}

function run(command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** What the settings were good for: without these attributes the test would show nothing. */
function assertAttributes(upper, ...names) {
  const found = run("getfattr", "--recursive", "--match", "trusted.overlay", upper);
  for (const name of names) assert.ok(found.includes(`trusted.overlay.${name}`), found);
}

async function treeOf(driver, id) {
  const path = await driver.get(id, {});
  try {
    return readTree(path);
  } finally {
    await driver.put(id);
  }
}

/** `changes`, `diff` and `diffSize` against the layer below, held against what the two trees say. */
async function assertDiffIsRight(driver, id, parent) {
  const [before, after] = [await treeOf(driver, parent), await treeOf(driver, id)];
  const changes = await driver.changes(id, parent);
  const shown = changes.map(({ kind, path }) => `${kind} ${path.toString("latin1")}`);
  assert.deepEqual(shown, expectedChanges(before, after));
  await driver.create(`${id}-copy`, { parent });
  await driver.applyDiff(`${id}-copy`, parent, await driver.diff(id, parent));
  const copy = await treeOf(driver, `${id}-copy`);
  assertSameTree(asArchived(copy), asArchived(after), "what the diff makes");
  return { sizeBytes: await driver.diffSize(id, parent) };
}

/** A diff has whole seconds, and a copy of each file that is linked to one of the image. */
function asArchived(tree) {
  const second = 1_000_000_000n;
  const view = (node) => ({ ...node, names: undefined, mtimeNs: (node.mtimeNs / second) * second });
  return new Map([...tree].map(([path, node]) => [path, view(node)]));
}

async function checkSettings(driver, folderOfTest, settings, attributes) {
  const opened = await factories[driver].open({ home: `${folderOfTest}/home` });
  const { upper, tree } = await runElsewhere(opened, folderOfTest, settings);
  assertAttributes(upper, ...attributes);
  assertSameTree(await treeOf(opened, "container"), tree, "container");
  const { sizeBytes } = await assertDiffIsRight(opened, "container", "image");
  // A file without content would read as zeros.
  await assertRefused(opened.diffGetter("container"), "FAILED_PRECONDITION", "container", "metacopy");
  assert.ok(sizeBytes > content.length, `${sizeBytes} bytes`);

  await opened.createReadWrite("child", { parent: "container" });
  assertSameTree(await treeOf(opened, "child"), tree, "child");
  const path = await opened.get("child", {});
  chmodSync(`${path}/moved/big`, 0o444);
  rmSync(`${path}/etc/sub/deep`);
  rmSync(`${path}/etc/sub/nested/gone`); // in a folder that no layer has at this path
  writeFileSync(`${path}/moved/more`, "more");
  assert.deepEqual(readFileSync(`${path}/moved/big`), content);
  await opened.put("child");
  await assertDiffIsRight(opened, "child", "container");
  await opened.close();
}

export const redirectedFolders = (driver, path) =>
  checkSettings(driver, path, "redirect_dir=on,metacopy=off", ["redirect"]);

export const filesWithoutContent = (driver, path) =>
  checkSettings(driver, path, "redirect_dir=on,metacopy=on", ["redirect", "metacopy"]);

/**
 * Image layers are believed to be whole, so that mounting one costs no walk; only the kernel's own mounts leave
 * attributes.
 */
export async function forgedAttributes(driver, path) {
  const opened = await factories[driver].open({ home: `${path}/home` });
  const redirect = {
    "trusted.overlay.redirect": Buffer.from("/secret"),
    "user.overlay.redirect": Buffer.from("/secret"),
  };
  const metacopy = { "trusted.overlay.metacopy": Buffer.alloc(0), "user.overlay.metacopy": Buffer.alloc(0) };
  await opened.create("image", {});
  await opened.applyDiff(
    "image",
    undefined,
    streamOf(buildArchive([folder("d", { xattrs: redirect }), file("f", "mine", { xattrs: metacopy })])),
  );
  const { UpperDir } = await opened.metadata("image");
  assert.equal(run("getfattr", "--recursive", "--match", "overlay", UpperDir), "");
  await opened.close();
}

/**
 * With SELinux both mounts have the label, without it the kernel refuses both: either way a mount that compares trees
 * is like the container's own.
 */
export async function labelledLayers(driver, path) {
  const opened = await factories[driver].open({ home: `${path}/home` });
  const mountLabel = "system_u:object_r:container_file_t:s0";
  await opened.create("base", {});
  await opened.create("image", { parent: "base" });
  await opened.createReadWrite("container", { parent: "image", mountLabel });
  const told = (call) =>
    call.then(
      () => readMountOptions(path),
      ({ message }) => message,
    );
  const own = await told(opened.get("container", { mountLabel }));
  assert.ok(own.includes(mountLabel) || own.includes("EINVAL"), own);
  await opened.put("container");
  const labelled = await told(opened.changes("container", "base"));
  assert.equal(labelled, own.includes("EINVAL") ? own : "");
  await opened.close();
}

/** What is mounted below the folder, and how. */
function readMountOptions(path) {
  const lines = readFileSync("/proc/self/mountinfo", "latin1").split("\n");
  return lines.filter((line) => line.includes(`${path}/home/`)).join("\n");
}

/** What a kernel makes the driver do whose diff folders cannot be trusted at all. */
export async function noNativeDiff(driver, path) {
  const home = `${path}/home`;
  const known = { nativeDiffObstacle: "the kernel is believed to be old" };
  const opened = await createOverlay2Factory(known).open({ home });
  assert.deepEqual(Object.fromEntries(await opened.status())["Native Overlay Diff"], "false");
  await opened.create("image", {});
  await opened.applyDiff("image", undefined, streamOf(image));
  await opened.createReadWrite("container", { parent: "image" });
  const root = await opened.get("container", {});
  rmSync(`${root}/gone`, { recursive: true });
  chmodSync(`${root}/etc/big`, 0o600);
  await opened.put("container");
  // An opaque folder that the diff folder alone would tell, and the trees do not know.
  const { UpperDir } = await opened.metadata("container");
  mkdirSync(`${UpperDir}/etc/only`);
  run("setfattr", "-n", "trusted.overlay.opaque", "-v", "y", `${UpperDir}/etc/only`);
  await assertDiffIsRight(opened, "container", "image");
  assert.ok(!(await namesIn(await opened.diff("container", "image"))).includes(".wh..wh..opq"));
  await opened.close();
  const native = await factories[driver].open({ home });
  assert.deepEqual(Object.fromEntries(await native.status())["Native Overlay Diff"], "true");
  assert.ok((await namesIn(await native.diff("container", "image"))).includes(".wh..wh..opq"));
  await native.close();
}

async function namesIn(archive) {
  const { stdout } = spawnSync("tar", ["-t"], { input: Buffer.concat(await archive.toArray()), encoding: "utf8" });
  return stdout;
}
