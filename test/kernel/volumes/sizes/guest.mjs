/**
 * Folders with a size, on a disk of xfs (`/dev/vda`) and one of ext4 (`/dev/vdb`), both made for project quotas: run in
 * the virtual machine. Prints each result as a line of JSON.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { inspect } from "node:util";
import { openManagedVolumes, volumeTypes } from "cleat/volumedrivers";

for (const [fileSystem, device] of Object.entries({ xfs: "/dev/vda", ext4: "/dev/vdb" })) {
  const folder = `/tmp/${fileSystem}`;
  mkdirSync(folder);
  execFileSync("mount", ["-t", fileSystem, "-o", "prjquota", device, folder]);
  const error = await check(`${folder}/volumes`).catch((reason) => reason);
  console.log(JSON.stringify({ fileSystem, error: error && inspect(error) }));
}

async function check(folder) {
  const open = () => openManagedVolumes({ name: "cleat", folder, types: volumeTypes, defaultType: "local" });
  // As a user: root is above the limits of ext4, unless it is a container's.
  const write = async (path, megabytes) => {
    chmodSync(dirname(path), 0o777);
    execFileSync("dd", ["if=/dev/zero", `of=${path}`, "bs=1M", `count=${megabytes}`], {
      uid: 7,
      gid: 7,
      stdio: "pipe",
    });
  };
  const first = await open();
  for (const name of ["a", "b"]) await first.create(name, { options: { size: "4m" } });
  await first.create("free");
  const [a, b, free] = await Promise.all(["a", "b", "free"].map((name) => first.mount(name, "c")));
  const full = /quota exceeded|No space left/i;
  await write(`${a}/three`, 3);
  await assert.rejects(write(`${a}/more`, 3), full);
  await rm(`${a}/more`);
  await write(`${b}/three`, 3); // each has its own
  await write(`${free}/ten`, 10);
  const { status } = await first.get("a");
  assert.equal(status.SizeBytes, 4 * 2 ** 20);
  assert.ok(status.UsedBytes >= 3 * 2 ** 20 && status.UsedBytes < 3.1 * 2 ** 20, String(status.UsedBytes));
  assert.equal((await first.get("free")).status.UsedBytes, undefined);
  await first.resize("a", 8 * 2 ** 20);
  await write(`${a}/more`, 3);
  await assert.rejects(first.resize("free", 1), /made without a size/);
  await first.close();

  const second = await open();
  assert.equal((await second.get("a")).status.SizeBytes, 8 * 2 ** 20);
  await second.create("c", { options: { size: "4m" } }); // not the project of another
  await write(`${await second.mount("c", "x")}/three`, 3);
  await second.unmount("a", "c");
  await second.remove("a");
  await second.create("a", { options: { size: "4m" } });
  await write(`${await second.mount("a", "x")}/three`, 3);
  await second.close();
}
