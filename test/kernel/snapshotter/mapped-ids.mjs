/** Snapshots that are to be mounted with mapped ids, mounted as containerd does it, and used by root of these ids. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, openSync, closeSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { overlay2, vfs } from "cleat/drivers";
import { openGraphDriverSnapshotter } from "cleat/snapshotter";
import { cloneMount, mapIds, MNT_DETACH, moveMount, umount2 } from "#dist/syscall/index.js";
import { performMount } from "#dist/testing/snapshotter/perform-mount.js";

const [folder] = process.argv.slice(2);
const root = `${folder}/snapshots`;
/** Users and groups differ, so that one is not taken for the other. */
const maps = { uids: "0:100000:65536", gids: "0:200000:1000,1000:300000:1000" };
const labels = {
  "containerd.io/snapshot/uidmapping": maps.uids,
  "containerd.io/snapshot/gidmapping": maps.gids,
};
const options = [`uidmap=${maps.uids}`, `gidmap=${maps.gids}`];
const open = (remapIds, driver = overlay2, at = root) => openGraphDriverSnapshotter({ driver, root: at, remapIds });

let snapshotter = await open(true);
const base = await layer(undefined, (path) => {
  mkdirSync(`${path}/folder`);
  for (const name of ["rooted", "owned", "folder/file"]) writeFileSync(`${path}/${name}`, name);
  chownSync(`${path}/owned`, 1000, 1001);
});
const top = await layer(base, (path) => writeFileSync(`${path}/top`, "top"));

const namespace = await makeNamespace();
await containersOf(top);
await viewsOf(top);
await snapshotsOfNothing();
await imageIsUntouched(top);
await malformedMaps(top);
await withoutTheSwitch(top);
await assert.rejects(open(true, vfs, `${folder}/vfs`), { code: "UNIMPLEMENTED" });
await namespace.end();

/** Both ways in which containerd maps lowers: each by itself, and the folder that all lie in (since v2.2). */
async function containersOf(parent) {
  const told = await snapshotter.prepare("container", { parent, labels });
  assert.deepEqual(told[0].options.slice(0, 2), options);
  await snapshotter.close();
  snapshotter = await open(true);
  assert.deepEqual(await snapshotter.mounts("container"), told);
  await within(told, mapEach, (path) => {
    for (const name of [".", "rooted", "folder", "folder/file", "top"]) assertOwner(`${path}/${name}`, 0, 0);
    assertOwner(`${path}/owned`, 1000, 1001);
    const script = `
      set -e
      cd "$1"
      echo new >new
      echo more >>rooted
      echo own >>folder/file
      chown 5:1006 owned
      rm top
      mkdir made
      chmod 700 .
    `;
    namespace.run("sh", "-c", script, "container", path);
    assert.deepEqual(readdirSync(path).toSorted(), ["folder", "made", "new", "owned", "rooted"]);
    assertOwner(`${path}/new`, 0, 0);
  });
  await within(told, mapTogether, (path) => {
    for (const name of [".", "rooted", "folder", "folder/file", "made", "new"]) assertOwner(`${path}/${name}`, 0, 0);
    assertOwner(`${path}/owned`, 5, 1006);
  });
}

async function viewsOf(parent) {
  const told = await snapshotter.view("view", { parent, labels });
  assert.deepEqual(told[0].options.slice(0, 2), options);
  for (const map of [mapEach, mapTogether]) {
    await within(told, map, (path) => {
      for (const name of [".", "rooted", "folder/file", "top"]) assertOwner(`${path}/${name}`, 0, 0);
      assertOwner(`${path}/owned`, 1000, 1001);
      assert.throws(() => writeFileSync(`${path}/new`, ""), { code: "EROFS" });
    });
  }
}

/** Whose mount is a bind, which containerd maps as a whole. */
async function snapshotsOfNothing() {
  const told = await snapshotter.prepare("empty", { labels });
  assert.deepEqual(told[0].options.slice(0, 2), options);
  await within(told, mapEach, (path) => {
    assertOwner(path, 0, 0);
    namespace.run("sh", "-c", 'echo new >"$1/new"; chown 7:8 "$1/new"', "container", path);
    assertOwner(`${path}/new`, 7, 8);
  });
}

/** Who maps no ids finds it as it was. */
async function imageIsUntouched(parent) {
  await within(await snapshotter.prepare("plain", { parent }), mapEach, (path) => {
    for (const name of [".", "rooted", "top"]) assertIds(`${path}/${name}`, 0, 0);
    assertIds(`${path}/owned`, 1000, 1001);
  });
}

async function malformedMaps(parent) {
  const before = { layers: layersOnDisk(), snapshots: await count() };
  const bad = [
    { ...labels, "containerd.io/snapshot/uidmapping": "0:100000" },
    { ...labels, "containerd.io/snapshot/gidmapping": "1:200000:65535" },
    { "containerd.io/snapshot/uidmapping": maps.uids },
    { "containerd.io/snapshot/gidmapping": maps.gids },
  ];
  for (const wrong of bad) {
    for (const method of ["prepare", "view"]) {
      for (const below of [parent, undefined]) {
        const made = snapshotter[method]("bad", { parent: below, labels: wrong });
        await assert.rejects(made, { code: "INVALID_ARGUMENT" }, `${method} ${JSON.stringify(wrong)}`);
      }
    }
  }
  await snapshotter.cleanup();
  assert.deepEqual({ layers: layersOnDisk(), snapshots: await count() }, before);
}

/** An engine that was not told of the switch maps no ids, and neither labels nor what was made before change that. */
async function withoutTheSwitch(parent) {
  await snapshotter.close();
  snapshotter = await open(false);
  const told = await snapshotter.prepare("unmapped", { parent, labels });
  for (const mounts of [told, await snapshotter.mounts("container")]) {
    assert.equal(
      mounts[0].options.some((option) => /^[ug]idmap=/.test(option)),
      false,
    );
  }
  await within(told, mapEach, (path) => assertIds(path, 0, 0));
  await snapshotter.close();
}

async function layer(parent, work) {
  const key = `key of ${parent}`;
  await within(await snapshotter.prepare(key, { parent }), mapEach, work);
  await snapshotter.commit(`on ${parent}`, key, {});
  return `on ${parent}`;
}

async function count() {
  let snapshots = 0;
  for await (const _ of snapshotter.list()) snapshots++;
  return snapshots;
}

function layersOnDisk() {
  return readdirSync(root).filter((name) => /^\d+$/.test(name));
}

/** What the host sees of an id of the container's. */
function assertOwner(path, user, group) {
  assertIds(path, 100_000 + user, group < 1000 ? 200_000 + group : 299_000 + group);
}

function assertIds(path, uid, gid) {
  const stat = statSync(path);
  assert.deepEqual([stat.uid, stat.gid], [uid, gid], path);
}

/** Source: containerd v1.7.0 and v2.2.0 `mount/mount_linux.go`, `mount`. */
async function within([told], mapLowers, work) {
  const target = `${folder}/target`;
  mkdirSync(target, { recursive: true, mode: 0o755 });
  const own = told.options.filter((option) => !/^[ug]idmap=/.test(option));
  const isMapped = own.length < told.options.length;
  const mounted = [];
  const mapAt = (source, name) => {
    const place = `${folder}/${name}`;
    mkdirSync(place, { recursive: true });
    mapped(source, place);
    mounted.push(place);
    return place;
  };
  const toMapped = (option) =>
    isMapped && option.startsWith("lowerdir=") ? `lowerdir=${mapLowers(option.slice(9).split(":"), mapAt)}` : option;
  performMount({ ...told, options: own.map(toMapped) }, target);
  if (isMapped && told.type === "bind") mapped(target, target);
  // The overlay holds them.
  for (const place of mounted) umount2(place, MNT_DETACH);
  try {
    await work(target);
  } finally {
    umount2(target, MNT_DETACH);
    if (isMapped && told.type === "bind") umount2(target, MNT_DETACH);
  }
}

function mapEach(lowers, mapAt) {
  return lowers.map((lower, index) => mapAt(lower, `mapped-${index}`)).join(":");
}

function mapTogether(lowers, mapAt) {
  const common = dirname(dirname(lowers[0]));
  const place = mapAt(common, "mapped");
  return lowers.map((lower) => join(place, relative(common, lower))).join(":");
}

function mapped(source, target) {
  const opened = openSync(source, "r");
  const clone = cloneMount(opened);
  mapIds(clone, namespace.descriptor);
  moveMount(clone, target);
  for (const descriptor of [clone, opened]) closeSync(descriptor);
}

/** A user namespace of the mapped ids, whose root is in this process's mount namespace. */
async function makeNamespace() {
  const child = spawn("unshare", ["--user", "sh", "-c", "echo; exec cat"], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const own = `/proc/${child.pid}`;
  const lines = (map) => map.replaceAll(":", " ").replaceAll(",", "\n");
  writeFileSync(`${own}/uid_map`, lines(maps.uids));
  writeFileSync(`${own}/gid_map`, lines(maps.gids));
  const descriptor = openSync(`${own}/ns/user`, "r");
  return {
    descriptor,
    run: (...command) => execFileSync("nsenter", [`--user=${own}/ns/user`, "--setuid=0", "--setgid=0", ...command]),
    async end() {
      closeSync(descriptor);
      const ended = once(child, "exit");
      child.stdin.end();
      await ended;
    },
  };
}
