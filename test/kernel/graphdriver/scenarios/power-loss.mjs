/**
 * What is on the disk at the moment in which the power fails: the image under the loop device is copied and mounted.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

import { openGraphDriverSnapshotter } from "cleat/snapshotter";
import { buildArchive, file } from "./archives-and-trees.mjs";

import { factories, streamOf } from "./layers.mjs";

export async function powerLoss(driver, folder) {
  const opened = await factories[driver].open({ home: `${folder}/home` });
  const content = Buffer.alloc(300_000, "content");
  await opened.create("image", {});
  await opened.applyDiff("image", undefined, streamOf(buildArchive([file("below", content)])));
  await withDiskOf(folder, (disk) => {
    assert.deepEqual(readFileSync(`${disk}/home/subvolumes/image/below`), content);
  });
  await opened.create("next", { parent: "image" });
  await opened.applyDiff("next", "image", streamOf(buildArchive([file("above", content)])));
  await opened.createReadWrite("container", { parent: "next", storageOptions: { size: "20M" } });
  await withDiskOf(folder, (disk) => {
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
    await withDiskOf(folder, (disk) => assertLayer(`${disk}/home`, home, id));
    parent = id;
  }
  if (opened.rebase !== undefined) {
    await opened.createReadWrite("filled");
    await opened.rebase("filled", "third");
    await withDiskOf(folder, (disk) => assertLayer(`${disk}/home`, home, "filled"));
    await opened.rebase("filled", undefined);
    await withDiskOf(folder, (disk) => assert.ok(!existsSync(`${disk}/home/filled/lower`)));
  }
  await opened.close();
}

/** All that a snapshotter acknowledged, each in its turn the last thing that happened. */
export async function powerLossOfSnapshots(driver, folder) {
  const root = `${folder}/snapshots`;
  const snapshotter = await openGraphDriverSnapshotter({ driver: factories[driver], root });
  const content = Buffer.alloc(30_000, "content");
  const assertKept = async () => {
    const expected = await tellSnapshots(snapshotter, root);
    await withDiskOf(folder, async (disk) => {
      const kept = `${disk}/snapshots`;
      const opened = await openGraphDriverSnapshotter({ driver: factories[driver], root: kept });
      try {
        assert.deepEqual(await tellSnapshots(opened, kept), expected);
        const [{ source }] = await opened.view("look", { parent: "base" });
        assert.deepEqual(readFileSync(`${source}/file`), content);
        await opened.prepare("next", { parent: "base" });
      } finally {
        await opened.close();
      }
    });
  };
  const [{ source }] = await snapshotter.prepare("filling", {});
  writeFileSync(`${source}/file`, content);
  await snapshotter.commit("base", "filling", {});
  await assertKept();
  for (const key of ["container", "another"]) {
    await snapshotter.prepare(key, { parent: "base" });
    await assertKept();
  }
  await snapshotter.commit("empty", "another", {});
  await assertKept();
  await snapshotter.prepare("on the empty one", { parent: "empty" });
  await assertKept();
  await snapshotter.view("view of nothing", {});
  await assertKept();
  await snapshotter.remove("container");
  await assertKept();
  await snapshotter.close();
}

/**
 * A power loss is looked for once on each mount, and again where that is not sure. A kernel that does not tell mounts
 * apart (before Linux 6.8) has no record of it.
 */
export async function powerLossIsLookedForOnce(driver, folder) {
  const root = `${folder}/snapshots`;
  const reopen = async (work = async () => {}) => {
    const snapshotter = await openGraphDriverSnapshotter({ driver: factories[driver], root });
    await work(snapshotter).finally(() => snapshotter.close());
  };
  await reopen((snapshotter) => snapshotter.prepare("container", {}));
  const [link, record] = [`${root}/1/link`, `${root}/.cleat/whole.json`];
  const content = readFileSync(link, "latin1");
  const isRecorded = readFileSync(record, "latin1") !== "";
  writeFileSync(link, "");
  await reopen();
  assert.equal(readFileSync(link, "latin1"), isRecorded ? "" : content);
  cpSync(record, `${record}.copy`);
  renameSync(`${record}.copy`, record);
  await reopen();
  assert.equal(readFileSync(link, "latin1"), content);
}

/** What is there and how it is mounted, whatever its root is called. */
async function tellSnapshots(snapshotter, root) {
  const told = [];
  for await (const { name, kind, parent } of snapshotter.list()) {
    const mounts = kind === "committed" ? [] : await snapshotter.mounts(name);
    told.push(JSON.stringify({ name, kind, parent, mounts }).replaceAll(root, ""));
  }
  return told.toSorted();
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
async function withDiskOf(folder, look) {
  const images = `${dirname(folder)}/images`;
  const [copy, disk] = [`${images}/copy`, `${images}/disk`];
  execFileSync("cp", ["--sparse=always", `${images}/image`, copy]);
  const type = execFileSync("stat", ["--file-system", "--format=%T", folder], { encoding: "utf8" }).trim();
  if (type === "btrfs") execFileSync("btrfstune", ["-f", "-m", copy], { stdio: "ignore" });
  mkdirSync(disk, { recursive: true });
  execFileSync("mount", ["-o", type === "xfs" ? "loop,nouuid" : "loop", copy, disk]);
  const errors = [];
  await Promise.resolve(disk)
    .then(look)
    .catch((error) => errors.push(error));
  try {
    execFileSync("umount", [disk]);
  } catch (error) {
    errors.push(new Error(`${error.message}: this process holds ${heldBelow(disk)}`));
  }
  if (errors.length > 0) throw errors.length === 1 ? errors[0] : new AggregateError(errors, errors.join("; "));
}

/** What this process has open there. */
function heldBelow(folder) {
  const links = readdirSync("/proc/self/fd").flatMap((name) => {
    try {
      return [readlinkSync(`/proc/self/fd/${name}`)];
    } catch {
      return []; // the one by which this folder was read
    }
  });
  return JSON.stringify(links.filter((link) => link.startsWith(folder)));
}
