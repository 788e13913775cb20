/**
 * A driver of volumes whose journal alone is brought back from a copy, made while it served and was killed later:
 * `node older.mjs FOLDER`. What was written since to a volume that was half made, or half removed, when the copy was
 * made is there; what this boot has mounted stays mounted, though the copy knows no holder.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { channel } from "node:diagnostics_channel";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { isMountPoint, openManagedVolumes, volumeTypes } from "cleat/volumedrivers";

const [, , scratch, story] = process.argv;
const open = (folder) => openManagedVolumes({ name: "cleat", folder, types: volumeTypes });
const journal = (folder) => `${folder}/state/records`;
const write = async (driver, id) => writeFileSync(`${await driver.mount("data", id)}/file`, "since then");

function copyAt(wanted) {
  const copy = ({ step }) => {
    if (step === wanted && !existsSync(`${scratch}.copy`)) copyFileSync(journal(scratch), `${scratch}.copy`);
  };
  channel("cleat:volumes").subscribe(copy);
}

const stories = {
  async "half made"(driver) {
    copyAt("create: recorded");
    await driver.create("data", { options: { type: "local" } });
    await write(driver, "c1");
    await driver.unmount("data", "c1");
  },
  async "half removed"(driver) {
    copyAt("remove: recorded");
    await driver.create("data", { options: { type: "local" } });
    await driver.remove("data");
    await driver.create("data", { options: { type: "local" } });
    await write(driver, "c1");
    await driver.unmount("data", "c1");
  },
  async "held by nobody"(driver) {
    copyAt("unmount: recorded");
    await driver.create("data", { options: { type: "tmpfs" } });
    await driver.mount("data", "c1");
    await driver.unmount("data", "c1");
    await write(driver, "c2");
  },
  async "not mounted"(driver) {
    copyAt("create: acknowledged");
    await driver.create("data", { options: { type: "tmpfs" } });
    await write(driver, "c2");
  },
};

if (story !== undefined) {
  await stories[story](await open(scratch));
  process.kill(process.pid, "SIGKILL");
} else {
  for (const told of Object.keys(stories)) {
    const folder = `${scratch}/${told.replaceAll(" ", "-")}`;
    await mkdir(folder);
    const { signal, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), folder, told]);
    assert.equal(signal, "SIGKILL", `${told}: ${stderr}`);
    await check(folder, told);
  }
}

async function check(folder, told) {
  copyFileSync(`${folder}.copy`, journal(folder));
  const isMounted = isMountPoint(`${folder}/mounts/data`);
  for (let start = 0; start < 2; start++) {
    const driver = await open(folder);
    assert.deepEqual(
      (await driver.list()).map(({ name, status }) => [name, status.State]),
      [["data", undefined]],
      told,
    );
    // Behind what the opening has begun.
    const path = await driver.mount("data", "c3");
    assert.equal(readFileSync(`${path}/file`, "utf8"), "since then", told);
    await driver.unmount("data", "c3");
    assert.equal(isMountPoint(`${folder}/mounts/data`), isMounted, told);
    if (isMounted) await assert.rejects(driver.remove("data"), { code: "FAILED_PRECONDITION" });
    await driver.close();
  }
  const driver = await open(folder);
  // Whoever has unmounted it by hand may remove it.
  if (isMounted) spawnSync("umount", [`${folder}/mounts/data`]);
  await driver.remove("data");
  await driver.close();
  await rm(folder, { recursive: true });
}
