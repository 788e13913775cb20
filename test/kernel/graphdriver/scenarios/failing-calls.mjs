/**
 * Every call on a driver, once for each kind of system call that it makes, with one of these failing: strace(1) stops
 * the process's threads at the call and has the kernel answer an error. Whatever fails, the caller is told by an error
 * of the contract that names the layer, no descriptor is lost, what was to be done is not, and the store is in order
 * afterwards.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { CleatError } from "cleat/errors";
import { builtInFactories } from "cleat/selection";
import { openStore } from "cleat/layerstore";
import { buildArchive, file, folder as aFolder, whiteout } from "./archives-and-trees.mjs";

import { factories, namesOf, streamOf, trashOf, whenTrashIsEmpty } from "./layers.mjs";

/** What drivers call of the kernel, with an error; but for write(2), by which Node's threads wake each other. */
const systemCalls = [
  ["openat", "EMFILE"],
  ["openat", "EIO"],
  ["openat2", "EIO"],
  ["mkdir", "ENOSPC"],
  ["mkdirat", "EIO"],
  ["rename", "EIO"],
  ["renameat2", "EIO"],
  ["renameat2", "ENOSPC"],
  ["unlink", "EIO"],
  ["unlinkat", "EIO"],
  ["rmdir", "EIO"],
  ["linkat", "EMLINK"],
  ["symlink", "EIO"],
  ["symlinkat", "EIO"],
  ["readlink", "EIO"],
  ["mknodat", "EPERM"],
  ["fchmod", "EIO"],
  ["fchownat", "EPERM"],
  ["fsetxattr", "ENOSPC"],
  ["flistxattr", "EIO"],
  ["getdents64", "EIO"],
  ["statx", "EIO"],
  ["newfstatat", "EIO"],
  ["pwrite64", "EDQUOT"],
  ["utimensat", "EIO"],
  ["mount", "EINVAL"],
  ["umount2", "EBUSY"],
  ["syncfs", "EIO"],
  ["fsync", "EIO"],
  ["ioctl", "EIO"],
];

const atNight = process.env.CLEAT_NIGHT !== undefined;
if (atNight) {
  systemCalls.push(
    ["openat", "ENOMEM"],
    ["statx", "ENOMEM"],
    ["mkdirat", "ENOMEM"],
    ["openat", "EROFS"],
    ["mkdirat", "EROFS"],
    ["renameat2", "EROFS"],
    ["pwrite64", "EIO"],
    ["openat", "ENFILE"],
    ["fsync", "ENOSPC"],
    ["syncfs", "ENOSPC"],
    ["ioctl", "ENOSPC"],
    ["rename", "EROFS"],
    ["unlinkat", "EROFS"],
    ["fsetxattr", "EROFS"],
    ["utimensat", "EROFS"],
  );
}

/** The first of each, and at night later ones, and all from the first on. */
const whens = !atNight ? ["1"] : ["1", "2", "3", "5", "8", "13", "1+"];
const trials = whens.flatMap((when) => systemCalls.map(([systemCall, errno]) => [systemCall, errno, when]));
const names = [...new Set(systemCalls.map(([systemCall]) => systemCall))].join(",");

const image = [aFolder("d"), file("d/f", "f".repeat(5000)), file("g", "g")];
const imageNames = ["d", "d/f", "g"];
const change = [whiteout("d/f"), aFolder("d"), file("d/new", "new"), file("h", "h".repeat(70_000))];

const calls = {
  create: (driver, id) => driver.create(`${id}-new`, { parent: id }),
  createReadWrite: (driver, id) => driver.createReadWrite(`${id}-new`, { parent: id }),
  applyDiff: (driver, id) => driver.applyDiff(`${id}-empty`, id, streamOf(buildArchive(change))),
  get: async (driver, id) => {
    await driver.get(`${id}-container`, {});
    await driver.put(`${id}-container`);
  },
  changes: (driver, id) => driver.changes(`${id}-container`, id),
  diffSize: (driver, id) => driver.diffSize(`${id}-container`, id),
  diff: async (driver, id) => (await driver.diff(`${id}-container`, id)).toArray(),
  metadata: (driver, id) => driver.metadata(`${id}-container`),
  exists: (driver, id) => driver.exists(`${id}-container`),
  remove: (driver, id) => driver.remove(`${id}-container`),
  put: {
    first: (driver, id) => driver.get(`${id}-container`, {}),
    call: (driver, id) => driver.put(`${id}-container`),
  },
  diffGetter: async (driver, id) => {
    const getter = await driver.diffGetter(id);
    try {
      await (await getter.get(Buffer.from("d/f"))).toArray();
    } finally {
      await getter.close();
    }
  },
  list: async (driver) => {
    for await (const layer of driver.list()) assert.ok(layer.id);
  },
  status: (driver) => driver.status(),
  cleanup: {
    first: (driver, id) => driver.get(`${id}-container`, {}),
    call: (driver) => driver.cleanup(),
  },
  openAndClose: {
    call: (_driver, _id, other) => other.openAndClose(),
    within: (other) => other.paths(),
  },
};

/** Opens the home twice more each time. */
if (atNight) {
  calls.openAfterCrash = {
    first: (_driver, _id, other) => other.leave(),
    call: (_driver, _id, other) => other.openAndClose(),
    within: (other) => other.paths(),
    after: (other) => other.assertInOrder(),
  };
}

/** Who is told that one of these failed finds nothing done, and can make the call again. */
const repeatable = ["create", "createReadWrite", "applyDiff", "remove"];

/** What is not a call about one layer names the driver or its home instead. */
const aboutNoLayer = ["list", "status", "cleanup", "openAndClose", "openAfterCrash"];

/** What a call makes of the store is made before, and is gone after it. */
async function prepare(driver, id) {
  await driver.create(`${id}-empty`, { parent: id });
  await driver.createReadWrite(`${id}-container`, { parent: id });
  const path = await driver.get(`${id}-container`, {});
  writeFileSync(`${path}/written`, "written");
  await driver.put(`${id}-container`);
}

async function tidy(driver, id) {
  for (const layer of ["new", "empty", "container"]) await driver.remove(`${id}-${layer}`);
}

export async function failingCalls(name, folder) {
  const home = `${folder}/home`;
  mkdirSync(home);
  const openOwn = () => factories[name].open({ home, options: ["cleat.exact_diffs=true"] });
  let driver = await openOwn();
  const id = "image";
  await driver.create(id, {});
  await driver.applyDiff(id, undefined, streamOf(buildArchive(image)));
  const other = await makeOther(name, `${folder}/other-${name}`);
  const problems = [];
  let injected = 0;
  for (const [method, one] of Object.entries(calls)) {
    const steps = typeof one === "function" ? { call: one } : one;
    const { first = async () => {}, call, within = () => [], after = async () => {} } = steps;
    const named = aboutNoLayer.includes(method) ? [id, name, home] : [id];
    await prepare(driver, id);
    // Threads are there, modules are loaded, and what it takes to trace is. What it does not call cannot fail.
    await first(driver, id, other);
    const { log } = await traced(names, [], folder, () => call(driver, id, other), within(other));
    await tidy(driver, id);
    for (const [systemCall, errno, when] of trials.filter(([one]) => log.includes(`${one}(`))) {
      await prepare(driver, id);
      if (process.env.SHOW) console.error(method, systemCall, errno);
      await first(driver, id, other);
      const before = descriptors();
      const failing = `${systemCall}:error=${errno}:when=${when}`;
      const { failure, hits } = await withFailing(failing, folder, () => call(driver, id, other), within(other));
      injected += hits;
      const subject = `${method} with ${systemCall} failing (${errno}), call ${when} of a thread`;
      if (failure !== undefined && !isOfContract(failure, named))
        problems.push(`${subject}: ${failure?.stack ?? failure}`);
      const lost = await descriptorsBeyond(before);
      if (lost > 0) problems.push(`${subject}: ${lost} descriptors are lost`);
      if (failure !== undefined && repeatable.includes(method)) {
        await call(driver, id).catch((error) => problems.push(`${subject}, and again: ${error.stack}`));
      }
      await after(other).catch((error) => problems.push(`${subject}, and opened once more: ${error.stack}`));
      await tidy(driver, id).catch((error) => problems.push(`${subject}, and then: ${error.stack}`));
    }
  }
  await driver.close();
  driver = await openOwn();
  await whenTrashIsEmpty(home); // of what was not deleted, since that failed
  await driver.close();
  const store = openStore({ home, drivers: builtInFactories, driver: name });
  const { findings } = await store.check();
  await store.close();
  assert.deepEqual(problems, []);
  assert.deepEqual(findings, []);
  assert.ok(injected > 30, `${injected} failures were injected`);
}

/** A home that is opened and closed, also with what a crash has left there. */
async function makeOther(name, home) {
  const open = () => factories[name].open({ home });
  const driver = await open();
  await driver.create("base", {});
  await driver.applyDiff("base", undefined, streamOf(buildArchive(image)));
  await driver.create("top", { parent: "base" });
  await driver.close();
  const left = {
    overlay2: ["l/LEFT"],
    "fuse-overlayfs": ["l/LEFT"],
    btrfs: ["quotas/gone", ".cleat/exact/gone", ".cleat/layers/gone"],
    vfs: [".cleat/unfilled/gone", ".cleat/exact/gone", ".cleat/layers/gone"],
  };
  const marks = left[name];
  return {
    /** What of the home is looked at by its path, or through a descriptor: not the modules that a thread loads. */
    paths: () => [home, ...readdirSync(home, { recursive: true }).flatMap((path) => [path, `${home}/${path}`])],
    async openAndClose() {
      const opened = await open();
      for (let tries = 0; tries < 20 && hasTrash(home); tries++) await delay(10);
      await opened.close();
    },
    leave() {
      for (const part of ["staging", "trash"]) {
        mkdirSync(`${home}/.cleat/${part}/left/d`, { recursive: true });
        writeFileSync(`${home}/.cleat/${part}/left/d/f`, "");
      }
      for (const mark of marks) {
        mkdirSync(dirname(`${home}/${mark}`), { recursive: true });
        rmSync(`${home}/${mark}`, { force: true });
        if (mark.startsWith("l/")) symlinkSync("../gone/diff", `${home}/${mark}`);
        else writeFileSync(`${home}/${mark}`, "");
      }
    },
    async assertInOrder() {
      const opened = await open();
      await whenTrashIsEmpty(home);
      assert.deepEqual([await namesOf(opened, "base"), await namesOf(opened, "top")], [imageNames, imageNames]);
      await opened.applyDiff("top", "base", streamOf(buildArchive(change)));
      await opened.remove("top");
      await opened.create("top", { parent: "base" });
      await opened.close();
      assert.deepEqual(readdirSync(`${home}/.cleat/staging`), []);
      const isLeft = (mark) => readdirSync(dirname(`${home}/${mark}`)).includes(basename(mark));
      assert.deepEqual(marks.filter(isLeft), []);
    },
  };
}

/** Whether the home still deletes. The look itself is on the home's paths, and may be what fails. */
function hasTrash(home) {
  try {
    return trashOf(home).length > 0;
  } catch (error) {
    if (error.code === undefined) throw error;
    return true;
  }
}

function isOfContract(failure, named) {
  const { message } = failure;
  return failure instanceof CleatError && named.some((name) => message.includes(name)) && !message.includes("\n");
}

/** Of the process, but for those of the tracer's pipes and the pool's threads, which come and go. */
function descriptors() {
  return readdirSync("/proc/self/fd").length;
}

/** How many more there are than `before`, once what a failed call has made is deleted behind it. */
async function descriptorsBeyond(before) {
  for (let tries = 1; tries < 100 && descriptors() > before; tries++) await delay(50);
  return descriptors() - before;
}

/**
 * Runs `call` while system calls fail as strace's `inject` says, of each thread as it counts them; of those on the
 * paths `within` alone, where there are some.
 */
async function withFailing(failing, folder, call, within) {
  const [systemCall] = failing.split(":");
  const { failure, log } = await traced(systemCall, ["-e", `inject=${failing}`], folder, call, within);
  return { failure, hits: log.split("(INJECTED)").length - 1 };
}

/** What `call` threw, and strace's log of the system calls that were made meanwhile. */
async function traced(systemCallNames, options, folder, call, within) {
  const file = `${folder}/trace`;
  writeFileSync(file, "");
  const watched = ["-e", `trace=${systemCallNames}`, ...options, ...within.flatMap((path) => ["-P", path])];
  const tracer = spawn("strace", ["-f", "-o", file, ...watched, "-p", String(process.pid)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  tracer.stderr.on("data", (chunk) => (said += chunk));
  const ended = once(tracer, "close");
  while (!/attached/.test(said)) await Promise.race([once(tracer.stderr, "data"), ended]);
  let failure;
  try {
    await call();
  } catch (error) {
    failure = error ?? new Error("nothing was thrown");
  } finally {
    tracer.kill("SIGINT");
    await ended;
  }
  return { failure, log: readFileSync(file, "utf8") };
}
