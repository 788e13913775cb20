/**
 * Limits by project quotas. Their titles are in `checks.mjs`. To open a driver takes seconds where the processor is
 * emulated, so most share `plain`, opened without options, or `strict`, opened with exact diffs and a default size of 8
 * MB.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";

import { overlay2 } from "cleat/drivers";
import { close, limitProject, O_RDONLY, openPath, projectUsage, readProject, setProject } from "#dist/syscall/index.js";
import { buildArchive, file } from "cleat/testing";

const megabyte = 2 ** 20;
const limited = { storageOptions: { size: "8m" } };

export async function fullContainer({ plain: { driver } }) {
  await makeContainer(driver, "full", limited);
  await visit(driver, "full", (path) => {
    fill(`${path}/large`);
    assert.throws(() => mkdirs(path, 200), isFull);
  });
  for (let round = 0; round < 3; round++) {
    await visit(driver, "full", (path) => {
      assert.ok(statSync(`${path}/large`).size > 6 * megabyte);
      assert.ok(!writes(`${path}/more`, 2 * megabyte), "the slack was left to the container");
      rmSync(`${path}/more`, { force: true });
    });
  }
  await visit(driver, "full", (path) => {
    rmSync(`${path}/large`);
    assert.ok(writes(`${path}/small`, megabyte));
    assert.ok(!writes(`${path}/large`, 12 * megabyte), "the limit is gone");
  });
}

export async function renames({ plain: { driver, home } }) {
  await makeContainer(driver, "renames", limited);
  await visit(driver, "renames", (path) => {
    writeFileSync(`${path}/below`, "copied up");
    renameSync(`${path}/below`, `${path}/renamed`);
    linkSync(`${path}/renamed`, `${path}/linked`);
    linkSync(`${path}/other`, `${path}/linked-below`);
    mkdirSync(`${path}/new/deep`, { recursive: true });
    renameSync(`${path}/renamed`, `${path}/new/deep/file`);
    renameSync(`${path}/new`, `${path}/moved`);
    rmSync(`${path}/folder`, { recursive: true });
    mkdirSync(`${path}/folder`);
    renameSync(`${path}/linked`, `${path}/folder/linked`);
    execFileSync("mv", [`${path}/moved`, `${path}/folder`]);
    assert.equal(readFileSync(`${path}/folder/moved/deep/file`, "utf8"), "copied up");
  });
  const project = projectOf(`${home}/renames/diff`).id;
  assert.ok(project > 0);
  for (const name of ["folder", "folder/moved/deep/file", "folder/linked", "linked-below"])
    assert.equal(projectOf(`${home}/renames/diff/${name}`).id, project, name);
}

export async function twoStores({ plain, folder }) {
  const home = `${folder}/second`;
  const ids = Array.from({ length: 4 }, (_, at) => `c${at}`);
  await withDriver(home, [], (second) =>
    Promise.all([plain.driver, second].flatMap((driver) => ids.map((id) => driver.createReadWrite(id, limited)))),
  );
  // Another process than the one that made these.
  await withDriver(home, [], (second) => second.createReadWrite("later", limited));
  const projects = [plain.home, home].flatMap((store) => ids.map((id) => projectOf(`${store}/${id}/diff`).id));
  projects.push(projectOf(`${home}/later/diff`).id);
  assert.equal(new Set(projects).size, 9, String(projects));
  for (const project of projects) assert.equal(usageOf(home, project).limitBytes, 8 * megabyte);
}

export async function forgotten({ plain: { driver, home } }) {
  await driver.createReadWrite("forgotten", limited);
  const project = projectOf(`${home}/forgotten/diff`).id;
  assert.ok(usageOf(home, project).inodes >= 2);
  await driver.remove("forgotten");
  assert.equal(usageOf(home, project).limitBytes, 0);
  // xfs lets go of what is deleted in the background, unless it freezes. Source: Linux v6.1 `fs/xfs/xfs_super.c`
  // `xfs_fs_sync_fs`.
  for (const action of ["--freeze", "--unfreeze"]) execFileSync("fsfreeze", [action, home]);
  assert.deepEqual(usageOf(home, project), { limitBytes: 0, usedBytes: 0, inodes: 0 });
}

export async function appliedDiff({ strict: { driver, home } }) {
  // Root with all its privileges is limited on ext4 through overlay only.
  await driver.create("below", {});
  await driver.create("limited", { parent: "below", ...limited });
  const apply = (count) =>
    driver.applyDiff("limited", "below", archive(file("big", Buffer.alloc(count * megabyte, "content"))));
  await assert.rejects(apply(12), { code: "RESOURCE_EXHAUSTED" });
  assert.deepEqual(readdirSync(`${home}/limited/diff`), []);
  await apply(3);
  const { id } = projectOf(`${home}/limited/diff/big`);
  assert.ok(usageOf(home, id).usedBytes >= 3 * megabyte);
  await visit(driver, "limited", (path) => assert.ok(!writes(`${path}/more`, 6 * megabyte)));
  assert.deepEqual(readdirSync(`${home}/.cleat/staging`), []);
}

/**
 * Source: moby v20.10.24 `overlay2.go` `create`: the project is set on the layer's folder before anything is made in
 * it.
 */
export async function dockersLayout({ strict: { driver, home } }) {
  for (const id of ["filled", "container"]) {
    mkdirSync(`${home}/${id}`);
    const project = id === "filled" ? 70_001 : 70_002;
    withOpen(`${home}/${id}`, (folder) => {
      setProject(folder, { id: project, inherits: true });
      limitProject(folder, project, 8 * megabyte);
    });
    mkdirSync(`${home}/${id}/diff`);
    writeFileSync(`${home}/${id}/link`, `ABCDEFGHIJKLMNOPQRSTUVWXY${id === "filled" ? 2 : 3}`);
    execFileSync("ln", ["-s", `../${id}/diff`, `${home}/l/${readFileSync(`${home}/${id}/link`, "utf8")}`]);
  }
  mkdirSync(`${home}/container/work`);
  writeFileSync(`${home}/container/lower`, `l/${readFileSync(`${home}/filled/link`, "utf8")}`);
  await driver.applyDiff("filled", undefined, archive(file("applied", "a")));
  assert.deepEqual(projectOf(`${home}/filled/diff/applied`).id, 70_001);
  await visit(driver, "container", (path) => {
    writeFileSync(`${path}/applied`, "copied up");
    assert.ok(!writes(`${path}/large`, 12 * megabyte));
  });
  // Nobody's files are in its project, but Docker's driver counts on from the highest.
  await driver.createReadWrite("ours", limited);
  assert.notEqual(projectOf(`${home}/ours`).id, 70_002);
  for (const id of ["container", "filled", "ours"]) await driver.remove(id);
  assert.equal(usageOf(home, 70_002).limitBytes, 0);
  assert.deepEqual(readdirSync(`${home}/.cleat/trash`), []);
}

export async function homeWithProject({ folder }) {
  const home = `${folder}/of-project`;
  mkdirSync(home);
  withOpen(home, (opened) => setProject(opened, { id: 999, inherits: true }));
  await withDriver(home, [], async (driver) => {
    await driver.create("image", {});
    await driver.applyDiff("image", undefined, archive(file("below", "b")));
    await driver.createReadWrite("free", { parent: "image" });
    await driver.createReadWrite("limited", { parent: "image", ...limited });
    await visit(driver, "limited", (path) => {
      renameSync(`${path}/below`, `${path}/renamed`);
      assert.ok(!writes(`${path}/large`, 12 * megabyte));
    });
    await visit(driver, "free", (path) => assert.ok(writes(`${path}/large`, 12 * megabyte)));
    assert.equal(projectOf(`${home}/limited/diff`).id, 1001);
    assert.equal(projectOf(`${home}/limited`).id, 1001);
    for (const id of ["limited", "free", "image"]) await driver.remove(id);
    assert.deepEqual(readdirSync(`${home}/.cleat/trash`), []);
  });
}

export async function defaultSize({ strict: { driver } }) {
  await driver.create("image", {});
  await driver.applyDiff("image", undefined, archive(file("large", Buffer.alloc(12 * megabyte))));
  await driver.createReadWrite("default", { parent: "image" });
  await driver.createReadWrite("more", { parent: "image", storageOptions: { size: "24m" } });
  await visit(driver, "default", (path) => assert.ok(!writes(`${path}/new`, 12 * megabyte)));
  await visit(driver, "more", (path) => assert.ok(writes(`${path}/new`, 12 * megabyte)));
}

export async function noRoom({ plain: { driver, home }, fileSystem }) {
  // Empty folders of xfs lie in their inodes, and take nothing.
  if (fileSystem === "xfs") return;
  const refused = driver.createReadWrite("small", { storageOptions: { size: "4k" } });
  await assert.rejects(refused, { code: "INVALID_ARGUMENT", message: /"small".* 4096 bytes leaves no room/ });
  assert.equal(await driver.exists("small"), false);
  assert.deepEqual(readdirSync(`${home}/.cleat/staging`), []);
}

/** Linux before 5.14 has no quotactl_fd; here both are there, and must say the same. */
export async function byDevice({ plain: { driver, home }, device }) {
  const { makeDevice } = await import("#dist/drivers/overlay/quotas/project-quotas.js");
  await driver.createReadWrite("by-device", limited);
  const { id } = projectOf(`${home}/by-device/diff`);
  const node = withOpen(home, (folder) => makeDevice(home, folder));
  assert.deepEqual(projectUsage(node, id), usageOf(home, id));
  assert.deepEqual(projectUsage(device, id), usageOf(home, id));
  limitProject(node, id, 16 * megabyte);
  assert.equal(usageOf(home, id).limitBytes, 16 * megabyte);
}

/** The last: the drivers that are shared are closed. */
export async function withoutQuotas({ folder, fileSystem, device }) {
  const home = `${folder}/home`;
  execFileSync("umount", [folder]);
  execFileSync("mount", ["-t", fileSystem, device, folder]);
  const seen =
    fileSystem === "xfs" ? "xfs that does not count projects" : "extfs that counts projects and enforces no limits";
  await assert.rejects(withDriver(home, ["overlay2.size=1g"]), ({ code, message }) => {
    assert.equal(code, "UNIMPLEMENTED");
    for (const part of ["overlay2.size", "prjquota", seen]) assert.ok(message.includes(part), message);
    return true;
  });
  await withDriver(home, [], async (driver) => {
    assert.equal(driver.capabilities.enforcesSize, false);
    const refused = driver.createReadWrite("limited", limited);
    await assert.rejects(refused, { code: "UNIMPLEMENTED", message: /"limited".*prjquota/ });
    assert.equal(await driver.exists("limited"), false);
    await makeContainer(driver, "free", {});
    await visit(driver, "free", (path) => assert.ok(writes(`${path}/new`, megabyte)));
  });
}

async function withDriver(home, options, use = async () => {}) {
  const driver = await overlay2.open({ home, options });
  try {
    await use(driver);
  } finally {
    await driver.cleanup();
    await driver.close();
  }
}

async function makeContainer(driver, id, options) {
  await driver.create(`${id}-image`, {});
  const entries = [file("below", "b"), file("other", "o"), file("folder/below", "b")];
  await driver.applyDiff(`${id}-image`, undefined, archive(...entries));
  await driver.createReadWrite(id, { parent: `${id}-image`, ...options });
}

async function visit(driver, id, use) {
  const path = await driver.get(id, {});
  try {
    use(path);
  } finally {
    await driver.put(id);
  }
}

async function* archive(...entries) {
  yield buildArchive(entries);
}

function withOpen(path, use) {
  const descriptor = openPath(path, O_RDONLY);
  try {
    return use(descriptor);
  } finally {
    close(descriptor);
  }
}

const projectOf = (path) => withOpen(path, readProject);
const usageOf = (home, project) => withOpen(home, (folder) => projectUsage(folder, project));

/** EDQUOT, for which Node has no name, of ext4; ENOSPC of xfs. */
const isFull = ({ errno }) => errno === -122 || errno === -28;

function writes(path, sizeBytes) {
  try {
    writeFileSync(path, Buffer.alloc(sizeBytes, "content"), { flush: true });
    return true;
  } catch (error) {
    if (isFull(error)) return false;
    throw error;
  }
}

/** Writes ever less, until nothing fits. */
function fill(path) {
  for (let size = megabyte; size >= 4096; size /= 4) {
    for (let at = 0; at < 100 && appends(path, size); at++);
  }
}

function appends(path, sizeBytes) {
  try {
    writeFileSync(path, Buffer.alloc(sizeBytes, "content"), { flag: "a", flush: true });
    return true;
  } catch (error) {
    if (isFull(error)) return false;
    throw error;
  }
}

function mkdirs(path, count) {
  for (let at = 0; at < count; at++) mkdirSync(`${path}/folder-with-a-name-of-some-length-${at}`);
}
