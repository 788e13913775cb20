/** Volumes that are made from others: `node clones.mjs FOLDER`, on any file system. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { channel } from "node:diagnostics_channel";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { hasMounts, openManagedVolumes, volumeTypes } from "cleat/volumedrivers";
import { assertSameTree, describeTree, growTree } from "./tree.mjs";

const [, , scratch, killed] = process.argv;
const folder = `${scratch}/cleat`;
const open = () => openManagedVolumes({ name: "cleat", folder, types: volumeTypes, defaultType: "local" });
const pathOf = (name) => `${folder}/volumes/${name}/data`;

if (killed === undefined) await live();
else {
  // The process ends while the copy runs, or when it is made and not acknowledged yet.
  const driver = await open();
  if (killed === "copying") setInterval(() => hasChild() && process.kill(process.pid, "SIGKILL"), 1);
  else channel("cleat:volumes").subscribe(({ step }) => step === killed && process.kill(process.pid, "SIGKILL"));
  await driver.create("half", { options: { from: "origin" } });
}

function hasChild() {
  return spawnSync("pgrep", ["-P", String(process.pid), "-f", "tree-child"]).status === 0;
}

async function live() {
  const driver = await open();
  await driver.create("origin");
  const origin = await driver.mount("origin", "c");
  growTree(origin);
  const fileSystem = execFileSync("stat", ["-f", "-c", "%T", origin], { encoding: "utf8" }).trim();

  await driver.create("copy", { options: { from: "origin" } });
  await driver.create("copy", { options: { from: "origin" } }); // an engine asks twice
  assertSameTree(pathOf("copy"), origin, "a copy");
  if (fileSystem === "btrfs") assert.equal(execFileSync("stat", ["-c", "%i", pathOf("copy")]).toString(), "256\n");
  const copy = await driver.mount("copy", "c");
  await writeFile(`${copy}/linked`, "changed");
  assert.equal(await readFile(`${origin}/linked`, "utf8"), "content");
  await driver.unmount("copy", "c");

  // subvolumes in one: no snapshot has what they hold, so it is copied; and removed with them
  if (fileSystem === "btrfs") {
    await driver.create("outer");
    execFileSync("btrfs", ["subvolume", "create", `${pathOf("outer")}/inner`]);
    await writeFile(`${pathOf("outer")}/inner/file`, "inner");
    await driver.create("outer2", { options: { from: "outer" } });
    assert.equal(await readFile(`${pathOf("outer2")}/inner/file`, "utf8"), "inner");
    for (const name of ["outer", "outer2"]) await driver.remove(name);
    assert.equal(existsSync(`${folder}/volumes/outer`), false);
  }

  // a snapshot: as it was, and read-only
  await driver.create("kept", { options: { from: "origin", snapshot: "true" } });
  await writeFile(`${origin}/later`, "later");
  const kept = await driver.mount("kept", "c");
  assert.equal(kept, `${folder}/mounts/kept`);
  assert.equal((await readdir(kept)).includes("later"), false);
  await assert.rejects(writeFile(`${kept}/file`, "x"), { code: "EROFS" });
  await driver.unmount("kept", "c");
  assert.equal(await driver.path("kept"), undefined);
  await driver.create("again", { options: { from: "kept" } }); // and the way back
  await writeFile(`${await driver.mount("again", "c")}/file`, "x");
  await driver.unmount("again", "c");

  // also where an engine mounts it once more with flags of its own, as Podman does, unless it would not look as it is
  await driver.create("simple");
  const simple = await driver.mount("simple", "c");
  for (const name of ["file", "sub/dir/file"]) {
    await mkdir(dirname(`${simple}/${name}`), { recursive: true });
    await writeFile(`${simple}/${name}`, name);
  }
  for (const [name, value] of [
    ["trusted.overlay.opaque", "y"], // of another overlay, and nothing to this one
    ["user.note", "kept"],
  ])
    execFileSync("setfattr", ["-n", name, "-v", value, `${simple}/sub/dir`]);
  execFileSync("chmod", ["1751", simple]);
  await driver.create("simple-now", { options: { from: "simple", snapshot: "true" } });
  const now = await driver.mount("simple-now", "c");
  await mkdir(`${scratch}/container`);
  /** But for how many folders the first one says that it holds: an overlay's says 1, as btrfs does. */
  const listed = (root) => describeTree(root).replace(/^( d 01751 \S+ \S+ \S+) \d+/m, "$1");
  const shown = { "simple-now": now, kept: await driver.mount("kept", "c") };
  for (const [name, path] of Object.entries(shown)) {
    execFileSync("mount", ["--bind", path, `${scratch}/container`]);
    execFileSync("mount", ["-o", "remount,bind,rw,nosuid,nodev", `${scratch}/container`]);
    const written = await writeFile(`${scratch}/container/sub-file`, "x").catch(({ code }) => code);
    if (name === "simple-now") assert.deepEqual([written, listed(`${scratch}/container`)], ["EROFS", listed(simple)]);
    else execFileSync("rm", ["-f", `${scratch}/container/sub-file`]);
    execFileSync("umount", [`${scratch}/container`]);
    await driver.unmount(name, "c");
  }
  await driver.unmount("simple", "c");

  // all that takes as long as there are files is done while no deadline runs
  const deadline = new AbortController();
  const withVolume = async (_name, work) => {
    await work({ type: "local", folder: `${folder}/volumes/simple` });
    deadline.abort(new Error("nothing else may take long"));
  };
  await mkdir(`${scratch}/own`);
  const made = { name: "own", type: "local", folder: `${scratch}/own`, options: { from: "simple", snapshot: true } };
  await volumeTypes.local.create(made, { withVolume, signal: deadline.signal });
  await readdir(`${scratch}/own/data/sub`);

  // what is wrong is said by its name, and leaves nothing
  const refused = (options, message) => assert.rejects(driver.create("bad", { options }), message);
  await refused({ from: "nobody" }, /volume "bad" cannot be created: volume "nobody" does not exist/);
  await refused({ from: "bad" }, /option "from": volume "bad" does not exist/);
  await refused({ snapshot: "true" }, /option "snapshot" needs "from"/);
  await driver.create("memory", { options: { type: "tmpfs" } });
  await refused({ from: "memory" }, /option "from": volume "memory" is of type "tmpfs", and this one of type "local"/);
  await driver.close();

  for (const when of ["copying", "create: made", "create: acknowledged"]) {
    const { signal, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), scratch, when]);
    assert.equal(signal, "SIGKILL", `${when}: ${stderr}`);
    const removed = when === "create: acknowledged" ? undefined : stepIs("remove: acknowledged");
    const next = await open();
    await removed;
    const names = (await next.list()).map(({ name }) => name);
    assert.equal(names.includes("half"), when === "create: acknowledged", when);
    assert.equal((await readdir(`${folder}/volumes`)).includes("half"), when === "create: acknowledged", when);
    if (when === "create: acknowledged") {
      assert.equal(await readFile(`${pathOf("half")}/later`, "utf8"), "later");
      await next.unmount("origin", "c");
      for (const name of names) await next.remove(name);
      assert.deepEqual(await readdir(`${folder}/volumes`), []);
      assert.equal(hasMounts(folder), false);
    }
    await next.close();
  }
}

function stepIs(wanted) {
  return new Promise((resolve) => channel("cleat:volumes").subscribe(({ step }) => step === wanted && resolve()));
}
