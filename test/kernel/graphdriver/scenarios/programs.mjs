/** Programs that serve mounts: ones that die, hang, or are not there. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, statfsSync, writeSync } from "node:fs";

import { buildArchive, file } from "./archives-and-trees.mjs";

import { assertNothingStaged, assertRefused, factories, namesOf, streamOf } from "./layers.mjs";

/** `get` finds that the program has died, for a layer that is held and for one that is adopted. */
export async function programDies(name, folder) {
  const home = `${folder}/home`;
  const driver = await openWithContainers(name, home, ["c1"]);
  const path = await driver.get("c1", {});
  writeThrough(`${path}/written`);
  end("c1", path);
  assert.equal(await driver.get("c1", {}), path);
  assert.deepEqual(readdirSync(path), ["below", "written"]);
  await driver.put("c1");
  assert.deepEqual(readdirSync(path), ["below", "written"]);
  await driver.put("c1");
  assert.ok(!isMounted(path));
  await driver.close();
}

/** As Docker does when it starts, behind the plugin that holds its layers. Source: moby v26.1.5 `cleanupMountsByID`. */
export async function engineUnmounts(name, folder) {
  const home = `${folder}/home`;
  const driver = await openWithContainers(name, home, ["c1"]);
  const path = await driver.get("c1");
  writeThrough(`${path}/written`);
  for (const isLazy of [false, true]) {
    execFileSync("umount", isLazy ? ["-l", path] : [path]);
    assert.ok(!isMounted(path));
    assert.equal(await driver.get("c1"), path);
    assert.deepEqual(readdirSync(path), ["below", "written"]);
  }
  execFileSync("umount", [path]);
  for (let held = 3; held > 0; held--) await driver.put("c1");
  assert.ok(!isMounted(path));
  assert.deepEqual(await namesOf(driver, "c1"), ["below", "written"]);
  await driver.remove("c1");
  await driver.close();
}

/** What died while nobody served the home is there again once somebody does, and counts on. */
export async function programDiesUnnoticed(name, folder) {
  const home = `${folder}/home`;
  const before = await openWithContainers(name, home, ["c1", "c2"]);
  const path = await before.get("c1", {});
  await before.get("c1", {});
  await before.get("c2", {});
  await before.close();
  end("c1", path);
  const driver = await factories[name].open({ home, resume: true });
  assert.deepEqual(readdirSync(path), ["below"]);
  assert.deepEqual(readdirSync(`${home}/c2/merged`), ["below"]);
  await driver.put("c1");
  assert.ok(isMounted(path));
  await driver.put("c1");
  assert.ok(!isMounted(path));
  await driver.cleanup();
  assert.ok(!isMounted(`${home}/c2/merged`));
  await driver.close();
}

/** Who asks for a layer whose program hangs is told in time; nobody else notices, and the layer can be removed. */
export async function programHangs(name, folder) {
  const home = `${folder}/home`;
  const driver = await openWithContainers(name, home, ["c1", "c2"]);
  await driver.get("c1", {});
  kill("c1", "SIGSTOP");
  const hanging = assertRefused(driver.get("c1", {}), "DEADLINE_EXCEEDED", "c1", "does not answer");
  assert.deepEqual(await namesOf(driver, "c2"), ["below"]);
  await hanging;
  await driver.close();

  const next = await factories[name].open({ home });
  assert.deepEqual(await namesOf(next, "c2"), ["below"]);
  await next.remove("c1");
  assert.ok(!isMounted(`${home}/c1/merged`));
  await next.close();
  await assertNothingStaged(name, home);
  kill("c1", "SIGKILL");
}

/** The program that serves an image's layer dies while two trees are compared. */
export async function programOfParentDies(name, folder) {
  const home = `${folder}/home`;
  const driver = await openWithContainers(name, home, ["c1"]);
  await driver.create("child", { parent: "c1" });
  end("c1", await driver.get("c1", {}));
  assert.deepEqual(await driver.changes("child", "c1"), []);
  await driver.close();
}

export async function programIsMissing(name, folder) {
  process.env.PATH = `${folder}/nothing:relative`;
  const open = factories[name].open({ home: `${folder}/home` });
  await assertRefused(open, "UNIMPLEMENTED", "needs the program fuse-overlayfs", process.env.PATH);
}

export async function programRefuses(name, folder) {
  mkdirSync(`${folder}/bin`);
  const answerVersion = '[ "$1" = --version ] && exec /usr/bin/fuse-overlayfs --version';
  const script = ["#!/bin/sh", answerVersion, "echo out of order >&2", "exit 7", ""].join("\n");
  execFileSync("sh", ["-c", `cat > ${folder}/bin/fuse-overlayfs; chmod 755 ${folder}/bin/fuse-overlayfs`], {
    input: script,
  });
  process.env.PATH = `${folder}/bin:${process.env.PATH}`;
  const open = factories[name].open({ home: `${folder}/home` });
  await assertRefused(open, "UNIMPLEMENTED", "needs a mount by fuse-overlayfs", folder, "out of order");
  await assertNothingStaged("", `${folder}/home`);
}

/** A container's own root, say, on which Docker would put another. */
export async function homeOnOverlay(name, folder) {
  for (const part of ["lower", "upper", "work", "merged"]) mkdirSync(`${folder}/${part}`);
  const options = "lowerdir=lower,upperdir=upper,workdir=work";
  execFileSync("mount", ["-t", "overlay", "-o", options, "overlay", "merged"], { cwd: folder });
  const open = factories[name].open({ home: `${folder}/merged/home` });
  await assertRefused(open, "UNIMPLEMENTED", "keeps overlay's whiteouts", "overlayfs");
}

export async function deviceIsMissing(name, folder) {
  // Of devices, Node needs these two.
  execFileSync("sh", ["-c", "mount -t tmpfs dev /dev && mknod /dev/null c 1 3 && mknod /dev/urandom c 1 9"]);
  await assertRefused(factories[name].open({ home: `${folder}/home` }), "UNIMPLEMENTED", "needs FUSE", "/dev/fuse");
}

/** A mount that a killed process left in the staging folder, where drivers try whether they can mount. */
export async function staleProgramMount(name, folder) {
  const home = `${folder}/home`;
  await (await factories[name].open({ home })).close();
  const staged = `${home}/.cleat/staging/probe`;
  for (const part of ["lower", "upper", "work", "merged"]) mkdirSync(`${staged}/${part}`, { recursive: true });
  const options = "lowerdir=lower,upperdir=upper,workdir=work";
  assert.equal(spawnSync("fuse-overlayfs", ["-o", options, "merged"], { cwd: staged }).status, 0);
  await (await factories[name].open({ home })).close();
  await assertNothingStaged(name, home);
  assert.ok(!isMounted(`${staged}/merged`));
}

async function openWithContainers(name, home, containers) {
  const driver = await factories[name].open({ home });
  await driver.create("image", {});
  await driver.applyDiff("image", undefined, streamOf(buildArchive([file("below", "b")])));
  for (const id of containers) await driver.createReadWrite(id, { parent: "image" });
  return driver;
}

/** A write that the kernel has handed on to the program, and that to the disk. */
function writeThrough(path) {
  const descriptor = openSync(path, "w");
  writeSync(descriptor, "content");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** Kills the program that serves a layer at `path`, and looks until it is gone. */
function end(id, path) {
  kill(id, "SIGKILL");
  for (let looks = 0; looks < 100_000; looks++) {
    try {
      statfsSync(path);
    } catch ({ code }) {
      assert.ok(["ENOTCONN", "ECONNABORTED"].includes(code), code);
      return;
    }
  }
  assert.fail(`${path} is served still`);
}

/** Sends a signal to the program that serves a layer; all processes that can be seen here are this scenario's. */
function kill(id, signal) {
  const programs = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && serves(pid, id));
  assert.equal(programs.length, 1, `${programs.length} programs serve ${id}`);
  process.kill(Number(programs[0]), signal);
}

function serves(pid, id) {
  const [program, ...args] = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
  return program.endsWith("fuse-overlayfs") && args.includes(`${id}/merged`);
}

function isMounted(path) {
  return readFileSync("/proc/self/mountinfo", "latin1").includes(` ${path} `);
}
