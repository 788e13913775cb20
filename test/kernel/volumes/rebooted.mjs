/** The machine goes down while volumes are held, and their records stay: `node rebooted.mjs FOLDER`. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { hasMounts, isMountPoint, openManagedVolumes, volumeTypes } from "cleat/volumedrivers";
import { fileURLToPath } from "node:url";

const [, , scratch, boot] = process.argv;
const folder = `${scratch}/cleat`;
const open = () => openManagedVolumes({ name: "cleat", folder, types: volumeTypes });
const program = fileURLToPath(import.meta.url);

if (boot === undefined) {
  const driver = await open();
  await driver.create("data", { options: { type: "tmpfs" } });
  await driver.mount("data", "before");
  await driver.close();
  execFileSync("umount", [`${folder}/mounts/data`]);
  // Another boot: the kernel says so, to whoever reads it after this.
  await writeFile(`${scratch}/boot`, "11111111-2222-3333-4444-555555555555\n");
  execFileSync("mount", ["--bind", `${scratch}/boot`, "/proc/sys/kernel/random/boot_id"]);
  execFileSync(process.execPath, [program, scratch, "second"], { stdio: "inherit" });
} else {
  const driver = await open();
  assert.deepEqual(
    (await driver.list()).map(({ name }) => name),
    ["data"],
  );
  assert.deepEqual(driver.holders("data"), []);
  await driver.unmount("data", "before"); // Docker does when it cleans up
  await driver.mount("data", "after");
  assert.equal(isMountPoint(`${folder}/mounts/data`), true);
  await driver.unmount("data", "after");
  await driver.remove("data");
  assert.equal(hasMounts(folder), false);
  await driver.close();
}
