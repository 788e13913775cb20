/** Volumes that are files with file systems of their own: `node images.mjs FOLDER ext4|xfs`. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdir, stat, truncate, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { hasMounts, isMountPoint, openManagedVolumes, volumeTypes } from "cleat/volumedrivers";
import { assertSameTree, growTree } from "./tree.mjs";

const [, , scratch, fstype = "ext4", killed] = process.argv;
const folder = `${scratch}/cleat`;
const MiB = 2 ** 20;
const size = (fstype === "xfs" ? 304 : 32) * MiB;
const open = () => openManagedVolumes({ name: "cleat", folder, types: volumeTypes });
const options = { type: "image", fstype, size: String(size) };
const imageOf = (name) => `${folder}/volumes/${name}/image`;
const loopsOf = (name) => execFileSync("losetup", ["-j", imageOf(name)], { encoding: "utf8" }).trim();

if (killed === "mounted") {
  const driver = await open();
  await writeFile(`${await driver.mount("data", "c")}/written`, "before the end");
  process.kill(process.pid, "SIGKILL");
}

const driver = await open();
await driver.create("data", { options });
assert.ok((await stat(imageOf("data"))).blocks * 512 < size / 2, "sparse");
assert.equal(loopsOf("data"), "");
const data = await driver.mount("data", "c");
assert.deepEqual(await readdir(data), []);
assert.match(loopsOf("data"), /^\/dev\/loop/);
growTree(data);

// a hard size; and it grows while it is mounted
await assert.rejects(writeFile(`${data}/big`, Buffer.alloc(size)), { code: "ENOSPC" });
await truncate(`${data}/big`, 0);
const live = await driver.resize("data", 2 * size).catch((error) => error);
if (live !== undefined) {
  assert.match(live.message, /an ext4 grows while it is mounted only by who has CAP_SYS_RESOURCE; unmount it first/);
  assert.equal((await stat(imageOf("data"))).size, size);
  await driver.unmount("data", "c");
  await driver.resize("data", 2 * size);
  await driver.mount("data", "c");
}
assert.ok((await driver.get("data")).status.SizeBytes > 1.5 * size);
await writeFile(`${data}/big`, Buffer.alloc(size));
await writeFile(`${data}/big`, "");
assert.deepEqual((await driver.get("data")).status.Options, { size: String(2 * size), fstype });

// the last holder: nothing is left of the mount
await driver.unmount("data", "c");
assert.deepEqual([loopsOf("data"), hasMounts(folder)], ["", false]);
assert.equal((await driver.get("data")).status.SizeBytes, 2 * size);
await assert.rejects(driver.resize("data", size), /size \d+ is less than the \d+ it has/);

// a copy, larger, beside its origin
await driver.create("copy", { options: { type: "image", fstype, from: "data", size: String(3 * size) } });
const [copy] = [await driver.mount("copy", "c"), await driver.mount("data", "c")];
assertSameTree(copy, data, "a copy");
assert.ok((await driver.get("copy")).status.SizeBytes > 2.5 * size);
const disk = execFileSync("stat", ["-f", "-c", "%T", folder], { encoding: "utf8" }).trim();
const whileMounted = driver.create("second", { options: { type: "image", fstype, from: "data" } });
if (disk === "xfs" || disk === "btrfs") {
  await whileMounted;
  assertSameTree(await driver.mount("second", "c"), data, "a copy of one moment");
  await driver.unmount("second", "c");
} else await assert.rejects(whileMounted, /image ".*" is mounted, and its file system shares no blocks/);
await driver.unmount("copy", "c");
await driver.unmount("data", "c");

// what is wrong is said by its name
const refused = (given, message) =>
  assert.rejects(driver.create("bad", { options: { type: "image", ...given } }), message);
await refused({}, /option "size" is needed/);
await refused({ size: "1g", fstype: "ntfs" }, /option "fstype" takes "ext4" or "xfs"/);
await refused({ size: "1g", o: "loop=/dev/sda" }, /option "o" takes ro, nosuid/);
await refused({ size: "4k", fstype }, /volume "bad" cannot be created: mkfs/);
await driver.close();

// killed while it is mounted, and the machine with it: the next mount has what was written before the last sync
const self = fileURLToPath(import.meta.url);
const { signal, stderr } = spawnSync(process.execPath, [self, scratch, fstype, "mounted"]);
assert.equal(signal, "SIGKILL", String(stderr));
const next = await open();
assert.deepEqual([next.holders("data"), isMountPoint(data)], [["c"], true]);
await next.unmount("data", "c");
assert.equal(loopsOf("data"), "");
await next.mount("data", "d");
assert.ok((await readdir(data)).includes("written"));
await next.unmount("data", "d");

// live where this process does not see it: nothing but the kernel writes to it, and a copy is of one moment or none
if (fstype === "ext4") {
  const stateOf = () => /^Filesystem state: +(.*)$/m.exec(execFileSync("dumpe2fs", ["-h", imageOf("data")]))?.[1];
  execFileSync("debugfs", ["-w", "-R", "ssv state 2", imageOf("data")], { stdio: "ignore" }); // e2fsck would clear it
  const device = execFileSync("losetup", ["--find", "--show", imageOf("data")], { encoding: "utf8" }).trim();
  try {
    await next.mount("data", "d");
    assert.equal(loopsOf("data").split("\n").length, 1);
    await next.unmount("data", "d");
    assert.match(stateOf(), /with errors/);
    const copied = next.create("third", { options: { type: "image", fstype, from: "data" } });
    if (disk === "xfs" || disk === "btrfs") await copied;
    else await assert.rejects(copied, /image ".*" is mounted, and its file system shares no blocks/);
  } finally {
    execFileSync("losetup", ["--detach", device]);
  }
  await next.mount("data", "d");
  await next.unmount("data", "d");
  assert.equal(stateOf(), "clean");
}

// an ext4 that is damaged is not mounted
if (fstype === "ext4") {
  execFileSync("debugfs", ["-w", "-R", "clri <2>", imageOf("data")], { stdio: "ignore" });
  execFileSync("debugfs", ["-w", "-R", "ssv state 2", imageOf("data")], { stdio: "ignore" });
  await assert.rejects(next.mount("data", "d"), /"data" cannot be mounted: .*e2fsck/);
}
for (const { name } of await next.list()) await next.remove(name);
assert.equal(hasMounts(folder), false);
await next.close();
