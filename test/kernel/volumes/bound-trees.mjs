/**
 * A folder of the host as a volume, with what is mounted below: `node bound-trees.mjs FOLDER`. The host's mounts stay.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { hasMounts, isMountPoint, openManagedVolumes, otherVolumeTypes, volumeTypes } from "cleat/volumedrivers";

const scratch = process.argv[2];
const folder = `${scratch}/cleat`;
const host = `${scratch}/host`;
const run = (program, ...args) => execFileSync(program, args);
const driver = await openManagedVolumes({
  name: "cleat",
  folder,
  types: volumeTypes,
  otherTypes: otherVolumeTypes,
  defaultType: "local",
});

// As on a machine that systemd has started: every mount is shared.
await mkdir(host);
run("mount", "-t", "tmpfs", "host", host);
run("mount", "--make-shared", host);
for (const name of ["disk", "disk/inner", "later"]) await mkdir(`${host}/${name}`);
run("mount", "-t", "tmpfs", "disk", `${host}/disk`);
await mkdir(`${host}/disk/inner`);
run("mount", "-t", "tmpfs", "inner", `${host}/disk/inner`);
await writeFile(`${host}/disk/inner/file`, "the host's");
await mkdir(folder, { recursive: true });
run("mount", "--bind", folder, folder);
run("mount", "--make-shared", folder);

const hostsMounts = (...more) => {
  for (const name of ["", "/disk", "/disk/inner", ...more]) assert.equal(isMountPoint(`${host}${name}`), true, name);
};

for (const [name, options] of Object.entries({
  "as-none": { type: "none", device: host, o: "rbind" },
  "as-bind": { type: "bind", device: host, o: "rbind,nosuid" },
  "as-any": { type: "ext4", device: host, o: "rbind" },
})) {
  await driver.create(name, { options });
  const path = await driver.mount(name, "c");
  assert.equal(await readFile(`${path}/disk/inner/file`, "utf8"), "the host's");

  // What the host mounts later is seen, and goes when it goes there.
  run("mount", "-t", "tmpfs", "later", `${host}/later`);
  await writeFile(`${host}/later/file`, "later");
  assert.equal(await readFile(`${path}/later/file`, "utf8"), "later");

  // Busy or not, it is given back whole, and nothing of the host's with it.
  const file = await open(`${path}/disk/inner/file`);
  await driver.unmount(name, "c");
  assert.equal(hasMounts(path), false, name);
  hostsMounts("/later");
  assert.equal(await file.readFile("utf8"), "the host's");
  await file.close();
  run("umount", `${host}/later`);
  await driver.remove(name);
  hostsMounts();
}

// One that an earlier release mounted depended on the host's mounts, as `mount --rbind` makes it.
await driver.create("earlier", { options: { type: "bind", device: host, o: "rbind" } });
const earlier = await driver.mount("earlier", "c");
run("umount", "--recursive", "--lazy", earlier);
await rm(`${folder}/volumes/earlier/slave-since-boot`);
run("mount", "--rbind", host, earlier);
await driver.unmount("earlier", "c");
assert.equal(hasMounts(earlier), false);
hostsMounts();

// Any other volume in which somebody has mounted something stays until he has taken that away.
await driver.create("memory", { options: { type: "tmpfs" } });
const memory = await driver.mount("memory", "c");
await mkdir(`${memory}/theirs`);
run("mount", "-t", "tmpfs", "theirs", `${memory}/theirs`);
await driver.unmount("memory", "c");
assert.equal(isMountPoint(`${memory}/theirs`), true);
run("umount", `${memory}/theirs`);
for (const name of ["earlier", "memory"]) await driver.remove(name);
await driver.close();
hostsMounts();
