/** What is on the disk at the moment in which the power fails: the image under the loop device is copied and mounted. On btrfs. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

import { buildArchive, file } from "cleat/testing";

import { factories, streamOf } from "./layers.mjs";

export async function powerLoss(driver, folder) {
  const opened = await factories[driver].open({ home: `${folder}/home` });
  const content = Buffer.alloc(300_000, "content");
  await opened.create("image", {});
  await opened.applyDiff("image", undefined, streamOf(buildArchive([file("below", content)])));
  withDiskOf(folder, (disk) => {
    assert.deepEqual(readFileSync(`${disk}/home/subvolumes/image/below`), content);
  });
  await opened.create("next", { parent: "image" });
  await opened.applyDiff("next", "image", streamOf(buildArchive([file("above", content)])));
  await opened.createReadWrite("container", { parent: "next", storageOptions: { size: "20M" } });
  withDiskOf(folder, (disk) => {
    assert.deepEqual(readFileSync(`${disk}/home/subvolumes/next/above`), content);
    assert.deepEqual(readdirSync(`${disk}/home/subvolumes/container`), ["above", "below"]);
    assert.equal(readFileSync(`${disk}/home/quotas/container`, "latin1"), String(20 * 2 ** 20));
    assert.match(execFileSync("btrfs", ["qgroup", "show", "--raw", "-r", disk], { encoding: "utf8" }), /\s20971520\s/);
  });
  await opened.close();
}

/** The file system is given another identity, for the kernel would take the copy for the one that is mounted. */
function withDiskOf(folder, look) {
  const images = `${dirname(folder)}/images`;
  const [copy, disk] = [`${images}/copy`, `${images}/disk`];
  execFileSync("cp", ["--sparse=always", `${images}/image`, copy]);
  execFileSync("btrfstune", ["-f", "-m", copy], { stdio: "ignore" });
  mkdirSync(disk, { recursive: true });
  execFileSync("mount", ["-o", "loop", copy, disk]);
  try {
    look(disk);
  } finally {
    execFileSync("umount", [disk]);
  }
}
