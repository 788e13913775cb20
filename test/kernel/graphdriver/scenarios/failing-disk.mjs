/** A disk that fails under a store: with EIO from one moment on, or as ext4 makes it read-only after an error. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename } from "node:path";

import { CleatError } from "cleat/errors";

import { mountDisk, recordDisk } from "../../power-loss/recorded-disk.mjs";
import { assertNothingStaged, factories, filesOf, toLayer } from "./layers.mjs";

/**
 * Each call answers by an error of the contract that names its layer, none hangs, and another store of the process goes
 * on. What was acknowledged is there when the disk is.
 */
export async function diskDies(name, folder) {
  await withDisk(folder, async (recorded, disk, sound) => {
    const home = `${disk}/home`;
    const driver = await factories[name].open({ home });
    const other = await factories[name].open({ home: `${sound}/other` });
    await fill(driver, "whole");
    await driver.create("half", { parent: "whole" });
    const filling = driver.applyDiff(
      "half",
      "whole",
      dyingStream(() => recorded.die()),
    );
    await assertFails(filling, "half");
    await assertFails(driver.createReadWrite("new", { parent: "whole" }), "new");
    await assertFails(driver.applyDiff("half", "whole", toLayer.stream()), "half");
    await assertFails(driver.remove("whole"), "whole");
    await fill(other, "layer");
    assert.equal(await filesOf(other, "layer"), toLayer.names);
    await other.close();
    await driver.close().catch((error) => assert.ok(error instanceof CleatError, error.stack));
    execFileSync("umount", ["--lazy", disk]);
    mountDisk("ext4", recorded.disk, disk);
    await assertInOrder(name, home);
  });
}

/** The same where nothing can be written any more: what is there can be read. */
export async function diskTurnsReadOnly(name, folder) {
  await withDisk(folder, async (recorded, disk) => {
    const home = `${disk}/home`;
    const driver = await factories[name].open({ home });
    await fill(driver, "whole");
    await driver.create("half", { parent: "whole" });
    failOnce(disk);
    await assertFails(driver.applyDiff("half", "whole", toLayer.stream()), "half");
    await assertFails(driver.createReadWrite("new", { parent: "whole" }), "new");
    await assertFails(driver.remove("half"), "half");
    assert.equal(await driver.exists("whole"), true);
    assert.ok((await driver.changes("whole")).length >= toLayer.names);
    await driver.close().catch((error) => assert.ok(error instanceof CleatError, error.stack));
    execFileSync("umount", ["--lazy", disk]);
    await recorded.die();
    mountDisk("ext4", recorded.disk, disk);
    await assertInOrder(name, home);
  });
}

async function withDisk(folder, use) {
  const [memory, disk, sound] = ["memory", "disk", "sound"].map((part) => `${folder}/${part}`);
  for (const path of [memory, disk, sound]) mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1g", "memory", memory]);
  await use(await recordDisk("ext4", memory, disk), disk, sound);
}

async function fill(driver, id) {
  await driver.create(id, {});
  await driver.applyDiff(id, undefined, toLayer.stream());
}

async function* dyingStream(die) {
  const half = Math.floor(toLayer.archive.length / 2);
  yield toLayer.archive.subarray(0, half);
  await die();
  yield toLayer.archive.subarray(half);
}

/** As ext4 does when it finds an error on its disk. */
function failOnce(disk) {
  execFileSync("mount", ["-o", "remount,errors=remount-ro", disk]);
  const device = execFileSync("findmnt", ["--noheadings", "--output", "SOURCE", disk], { encoding: "utf8" }).trim();
  writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, "on purpose");
}

async function assertFails(call, subject) {
  const error = await call.then(
    () => assert.fail(`${subject}: succeeded`),
    (reason) => reason,
  );
  assert.ok(error instanceof CleatError, error.stack);
  assert.ok(error.message.includes(subject) && !error.message.includes("\n"), error.message);
}

async function assertInOrder(name, home) {
  const opened = await factories[name].open({ home });
  assert.equal(await filesOf(opened, "whole"), toLayer.names);
  if (await opened.exists("half")) await opened.remove("half");
  assert.equal(await opened.exists("new"), false);
  await fill(opened, "next");
  assert.equal(await filesOf(opened, "next"), toLayer.names);
  await opened.close();
  await assertNothingStaged(name, home);
}
