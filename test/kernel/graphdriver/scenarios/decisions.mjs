/**
 * What is decided on a file system is what is then opened, and deciding leaves nothing:
 * `main.mjs SCENARIO EXPECTED FOLDER`, where EXPECTED is the driver to be chosen.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

import { builtInFactories, createAutomaticDriver, createDriverRegistry, openDriver } from "cleat/selection";

const command = new URL("../../../../dist/cli/main.js", import.meta.url).pathname;
const registry = createDriverRegistry(builtInFactories);

/** The scratch folder itself is the file system to decide on. */
export async function decidesHere(expected, folder) {
  writeFileSync(`${folder}/file`, ""); // or there would be nothing of which to see a type
  const place = `${folder}/place`;
  const before = mounts();
  const found = doctor(["--root", place], 0);
  assert.equal(found.chosen, expected, JSON.stringify(found.drivers));
  assert.equal(found.folder, folder);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name !== "lost+found"),
    ["file"],
  );
  assert.equal(mounts(), before);
  for (const { name, verdict, why } of found.drivers) await assertOpensAsTold(`${folder}/each`, name, verdict, why);

  const driver = await openDriver({ root: place });
  assert.equal(driver.name, expected);
  await driver.create("layer", {});
  await driver.close();
  assert.equal(doctor(["--root", place], 0).chosen, expected);

  const home = `${folder}/home`;
  const automatic = await createAutomaticDriver(registry).open({ home });
  assert.equal(automatic.name, expected);
  await automatic.create("layer", {});
  await automatic.close();
  const again = doctor(["--home", home], 0);
  assert.deepEqual([again.prior, again.chosen], [[expected], expected]);
}

async function assertOpensAsTold(root, name, verdict, why) {
  if (verdict === "not built in") return;
  const opened = await openDriver({ root, name }).catch((error) => error);
  if (opened instanceof Error) {
    assert.equal(verdict, "unsupported", `${name} does not open: ${opened.message}`);
    assert.equal(opened.code, "UNIMPLEMENTED");
  } else {
    await opened.close();
    assert.notEqual(verdict, "unsupported", `${name} opens, although ${why}`);
  }
}

export async function decidesOnTmpfs(expected, folder) {
  await decidesHere(expected, mountAt(`${folder}/memory`, "tmpfs", []));
}

export async function decidesOnOverlay(expected, folder) {
  const parts = ["lower", "upper", "work"].map((name) => `${folder}/${name}`);
  for (const part of parts) mkdirSync(part);
  const options = `lowerdir=${parts[0]},upperdir=${parts[1]},workdir=${parts[2]}`;
  await decidesHere(expected, mountAt(`${folder}/merged`, "overlay", ["-o", options]));
}

function mountAt(path, type, options) {
  mkdirSync(path);
  const { status, stderr } = spawnSync("mount", ["-t", type, ...options, type, path], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return path;
}

/** Root there is nobody outside, and may mount. */
export async function decidesInUserNamespace(expected, folder) {
  const inner = [process.execPath, `${import.meta.dirname}/main.mjs`, "decidesHere", expected, folder];
  const { status, stderr } = spawnSync("unshare", ["--user", "--map-root-user", "--mount", ...inner], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
}

export async function decidesForAnybody(expected, folder) {
  chownSync(folder, 65_534, 65_534);
  const inner = [process.execPath, `${import.meta.dirname}/main.mjs`, "decidesHere", expected, folder];
  const { status, stderr } = spawnSync(inner[0], inner.slice(1), { encoding: "utf8", uid: 65_534, gid: 65_534 });
  assert.equal(status, 0, stderr);
}

/** A store of a driver that has stopped working is not left for another one. */
export async function priorDriverFails(_expected, folder) {
  const root = `${folder}/root`;
  const driver = await openDriver({ root, name: "overlay2" });
  await driver.create("layer", {});
  await driver.close();
  const overlay = `${folder}/overlay`;
  for (const name of ["", "/upper", "/work", "/merged"]) mkdirSync(`${overlay}${name}`);
  const options = `lowerdir=${root},upperdir=${overlay}/upper,workdir=${overlay}/work`;
  assert.equal(spawnSync("mount", ["-t", "overlay", "-o", options, "overlay", `${overlay}/merged`]).status, 0);
  const there = { root: `${overlay}/merged` };
  const { refusal, drivers } = doctor(["--root", there.root], 1);
  assert.equal(drivers.find(({ name }) => name === "overlay2").reason, "incompatible-file-system");
  const error = await openDriver(there).catch((reason) => reason);
  assert.deepEqual({ code: error.code, message: error.message }, refusal);
  assert.match(refusal.message, /holds layers of overlay2, which does not work now: .* saw overlayfs$/);
}

/** A home keeps its driver, and says so to another. */
export async function homeOfAnotherDriver(_expected, folder) {
  const home = `${folder}/home`;
  const [overlay2, vfs] = ["overlay2", "vfs"].map((name) => registry.find(name));
  await (await vfs.open({ home })).close();
  const told = {
    code: "FAILED_PRECONDITION",
    message: /holds layers of vfs, not of overlay2: open it with vfs, or give/,
  };
  await assert.rejects(overlay2.open({ home }), told);
  const automatic = await createAutomaticDriver(registry).open({ home });
  assert.equal(automatic.name, "vfs");
  await automatic.close();
}

/** Whoever waits for a file system that does not answer is killed, and nobody waits for him. */
export async function hungFileSystem(_expected, folder) {
  const merged = `${folder}/merged`;
  for (const name of ["lower", "merged"]) mkdirSync(`${folder}/${name}`);
  const mounting = spawnSync("fuse-overlayfs", ["-o", `lowerdir=${folder}/lower`, merged], { encoding: "utf8" });
  assert.equal(mounting.status, 0, mounting.stderr);
  const program = processWith(merged);
  process.kill(program, "SIGSTOP");
  try {
    const options = ["doctor", "--home", `${merged}/home`, "--timeout", "3"];
    const { status, stderr } = spawnSync(process.execPath, [command, ...options], {
      encoding: "utf8",
      timeout: 120_000,
    });
    assert.equal(status, 1, stderr);
    assert.match(stderr, /examination is not done within 3000 ms/);
    assert.equal(processWith("examine-process"), undefined);
  } finally {
    process.kill(program, "SIGKILL");
  }
}

/** The process, of those that this namespace has, whose command line holds a text. */
function processWith(text) {
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const found = ids.find((id) => readFileSync(`/proc/${id}/cmdline`, "latin1").includes(text));
  return found === undefined ? undefined : Number(found);
}

/** A store from before the record is opened on a full disk, for otherwise nothing could be removed from it. */
export async function recordOnFullDisk(_expected, folder) {
  const home = `${folder}/home`;
  const record = `${home}/.cleat/driver.json`;
  const vfs = registry.find("vfs");
  await (await vfs.open({ home })).close();
  assert.deepEqual(JSON.parse(readFileSync(record, "utf8")), { version: 1, driver: "vfs" });
  unlinkSync(record);
  fillDisk(folder);
  const driver = await vfs.open({ home });
  await driver.close();
  assert.equal(existsSync(record), false);
  rmSync(`${folder}/filler`, { recursive: true });
  await (await vfs.open({ home })).close();
  assert.equal(existsSync(record), true);
}

/** With content, and then with names, until neither fits; a disk of some megabytes. */
function fillDisk(folder) {
  mkdirSync(`${folder}/filler`);
  for (const sizeBytes of [1024 * 1024, 4096, 1]) {
    for (let file = 0; file < 100_000; file++) {
      try {
        writeFileSync(`${folder}/filler/${sizeBytes}-${file}`, Buffer.alloc(sizeBytes));
      } catch (error) {
        assert.equal(error.code, "ENOSPC");
        break;
      }
    }
  }
}

/** After how many lines of the examining process it is killed, and how many milliseconds later. */
const deaths = [0, 10, 30, 60, 90, 120].map((ms) => ({ lines: 1, ms }));

export async function killedWhileProbing(_expected, folder) {
  writeFileSync(`${folder}/file`, "");
  const before = mounts();
  for (const { lines, ms } of deaths) {
    const child = spawn(process.execPath, [`${import.meta.dirname}/probe-again.mjs`, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    let heard = 0;
    for await (const line of createInterface(child.stdout)) {
      assert.notEqual(line, "");
      if (++heard === lines) void delay(ms).then(() => child.kill("SIGKILL"));
    }
    assert.deepEqual(await ended, [null, "SIGKILL"]);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name !== "lost+found"),
      ["file"],
    );
    assert.equal(mounts(), before);
  }
}

function doctor(options, expectedStatus) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [command, "doctor", "--json", "--timeout=60", ...options],
    {
      encoding: "utf8",
    },
  );
  assert.equal(status, expectedStatus, stderr);
  return JSON.parse(stdout);
}

function mounts() {
  return readFileSync("/proc/self/mountinfo", "utf8");
}
