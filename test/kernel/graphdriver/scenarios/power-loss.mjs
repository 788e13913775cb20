/**
 * What is on the disk at the moment in which the power fails: the image under the loop device is copied and mounted.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
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

/**
 * What is acknowledged by `createReadWrite` and `rebase` alone, with nothing after it that would bring it to the disk
 * as well.
 */
export async function powerLossOfLayers(driver, folder) {
  const home = `${folder}/home`;
  const opened = await factories[driver].open({ home });
  await opened.create("base");
  await opened.create("loose");
  let parent = "base";
  for (const id of ["first", "second", "third"]) {
    await opened.createReadWrite(id, { parent });
    withDiskOf(folder, (disk) => assertLayer(`${disk}/home`, home, id));
    parent = id;
  }
  if (opened.rebase !== undefined) {
    await opened.createReadWrite("filled");
    await opened.rebase("filled", "third");
    withDiskOf(folder, (disk) => assertLayer(`${disk}/home`, home, "filled"));
    await opened.rebase("filled", undefined);
    withDiskOf(folder, (disk) => assert.ok(!existsSync(`${disk}/home/filled/lower`)));
  }
  await opened.close();
}

/** As the store itself has the layer. */
function assertLayer(kept, home, id) {
  if (existsSync(`${home}/dir`)) {
    assert.ok(statSync(`${kept}/dir/${id}`).isDirectory());
    const mark = `.cleat/unfilled/${id}`;
    return assert.equal(readFileSync(`${kept}/${mark}`, "latin1"), readFileSync(`${home}/${mark}`, "latin1"));
  }
  for (const name of ["link", "lower"]) {
    const path = `${id}/${name}`;
    assert.equal(readFileSync(`${kept}/${path}`, "latin1"), readFileSync(`${home}/${path}`, "latin1"), path);
  }
  const link = readFileSync(`${kept}/${id}/link`, "latin1");
  assert.equal(readlinkSync(`${kept}/l/${link}`), `../${id}/diff`);
  for (const name of ["diff", "work"]) assert.ok(statSync(`${kept}/${id}/${name}`).isDirectory(), name);
}

/** The file system is given another identity, for the kernel would take the copy for the one that is mounted. */
function withDiskOf(folder, look) {
  const images = `${dirname(folder)}/images`;
  const [copy, disk] = [`${images}/copy`, `${images}/disk`];
  execFileSync("cp", ["--sparse=always", `${images}/image`, copy]);
  const type = execFileSync("stat", ["--file-system", "--format=%T", folder], { encoding: "utf8" }).trim();
  if (type === "btrfs") execFileSync("btrfstune", ["-f", "-m", copy], { stdio: "ignore" });
  mkdirSync(disk, { recursive: true });
  execFileSync("mount", ["-o", type === "xfs" ? "loop,nouuid" : "loop", copy, disk]);
  try {
    look(disk);
  } finally {
    execFileSync("umount", [disk]);
  }
}
