/** A disk that fails to write back: what is acknowledged is on it, whoever was told of the failure. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { buildArchive, file } from "./archives-and-trees.mjs";

import { mountThinDisk } from "../../thin-disk.mjs";
import { factories, streamOf } from "./layers.mjs";

const sizeBytes = 4 * 2 ** 20;
const content = { base: randomBytes(sizeBytes), more: randomBytes(sizeBytes) };
const archiveOf = (name) => buildArchive([file(name, content[name])]);

async function withDriver(name, folder, use) {
  const disk = mountThinDisk(folder);
  const home = `${disk.path}/home`;
  const driver = await factories[name].open({ home });
  await driver.create("base", {});
  await driver.applyDiff("base", undefined, streamOf(archiveOf("base")));
  await use(driver, disk, home);
  await driver.close();
}

const succeeds = (call) =>
  call.then(
    () => true,
    () => false,
  );

/** Each flush may be told once of writes that failed before there was room again. */
async function untilDone(call) {
  for (let turn = 0; !(await succeeds(call())); turn++) assert.ok(turn < 20, "there is room again, and it is refused");
}

/** Read from the disk, and not from what the kernel remembers of it. */
async function assertHolds(driver, disk, id, names) {
  disk.forget();
  const path = await driver.get(id, {});
  for (const name of names) {
    assert.ok(readFileSync(`${path}/${name}`).equals(content[name]), `${name} of layer ${id} is lost`);
  }
  await driver.put(id);
}

/** Several at once, of which each has to be told. */
export async function writesOfSeveralLost(name, folder) {
  await withDriver(name, folder, async (driver, disk) => {
    const ids = ["a", "b", "c"];
    for (const id of ids) await driver.create(id, {});
    disk.exhaust();
    const applied = await Promise.all(
      ids.map((id) => succeeds(driver.applyDiff(id, undefined, streamOf(archiveOf("more"))))),
    );
    disk.relieve();
    for (const [at, id] of ids.entries()) {
      if (applied[at]) await assertHolds(driver, disk, id, ["more"]);
      else await untilDone(() => driver.applyDiff(id, undefined, streamOf(archiveOf("more"))));
      await assertHolds(driver, disk, id, ["more"]);
    }
  });
}

/** Between `create` and `applyDiff` somebody else flushes the file system, and is told. */
export async function writesOfCreateLost(name, folder) {
  await withDriver(name, folder, async (driver, disk) => {
    disk.exhaust();
    const isMade = await succeeds(driver.create("child", { parent: "base" }));
    disk.flushFailsElsewhere();
    disk.relieve();
    if (!isMade) await untilDone(() => driver.create("child", { parent: "base" }));
    await untilDone(() => driver.applyDiff("child", "base", streamOf(archiveOf("more"))));
    await assertHolds(driver, disk, "child", ["base", "more"]);
  });
}

/** The same within `createReadWrite`, between the copy and its flush: it waits there for the reader of a pipe. */
export async function writesOfCopyLost(name, folder) {
  await withDriver(name, folder, async (driver, disk, home) => {
    disk.exhaust();
    const pipe = `${home}/.cleat/unfilled/child`;
    execFileSync("mkfifo", [pipe]);
    const made = succeeds(driver.createReadWrite("child", { parent: "base" }));
    try {
      await untilCopied(`${home}/.cleat/staging`);
      assert.ok(disk.flushFailsElsewhere(), "the disk did not fail");
      disk.relieve();
    } finally {
      const reader = await open(pipe, "r+"); // waits for nobody
      await made;
      await reader.close();
      rmSync(pipe, { force: true });
    }
    if (await made) await assertHolds(driver, disk, "child", ["base"]);
    else await untilDone(() => driver.createReadWrite("child", { parent: "base" }));
    await assertHolds(driver, disk, "child", ["base"]);
  });
}

async function untilCopied(staging) {
  const isThere = () =>
    readdirSync(staging).some((name) => {
      const copy = `${staging}/${name}/base`;
      return existsSync(copy) && statSync(copy).size === sizeBytes;
    });
  for (const until = Date.now() + 30_000; !isThere(); await delay(10))
    assert.ok(Date.now() < until, "no copy was made");
  await delay(100); // its times and the like come after its content, which alone is looked at here
}
