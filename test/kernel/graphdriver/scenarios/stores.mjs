/**
 * Damage done to real stores, what `cleat fsck` makes of it, and whether the driver works with the store thereafter.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { factories, filesOf, toLayer } from "./layers.mjs";

const command = fileURLToPath(new URL("../../../../dist/cli/main.js", import.meta.url));

/** What `cleat` prints as JSON, and its exit code. */
function cleat(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args, "--json"], { encoding: "utf8" });
  return { status, stderr, store: stdout === "" ? undefined : JSON.parse(stdout).stores[0] };
}

const kindsOf = (findings) => [...new Set(findings.map(({ kind }) => kind))].toSorted();

/** A base, an image on it, and a container that has written; `held` is left mounted. */
async function makeStore(driver, home, held = false) {
  const opened = await factories[driver].open({ home });
  await opened.create("base", {});
  await opened.applyDiff("base", undefined, toLayer.stream());
  await opened.create("app", { parent: "base" });
  await opened.createReadWrite("c-init", { parent: "app" });
  await opened.createReadWrite("c", { parent: "c-init" });
  writeFileSync(`${await opened.get("c", {})}/written`, "by the container");
  if (!held) await opened.put("c");
  await opened.close();
}

/** The container has what it had, and new layers can be made on what is there. */
async function assertWorks(driver, home) {
  const opened = await factories[driver].open({ home });
  assert.equal(await filesOf(opened, "c"), toLayer.names + 1);
  assert.equal(readFileSync(`${await opened.get("c", {})}/written`, "utf8"), "by the container");
  await opened.put("c");
  await opened.createReadWrite("after", { parent: "app" });
  assert.equal(await filesOf(opened, "after"), toLayer.names);
  await opened.cleanup();
  await opened.close();
}

const link = (home, id) => `${home}/l/${readFileSync(`${home}/${id}/link`, "utf8")}`;
const mountOverlay = (folder) => {
  for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(`${folder}/${name}`, { recursive: true });
  const options = "lowerdir=lower,upperdir=upper,workdir=work";
  assert.equal(spawnSync("mount", ["-t", "overlay", "-o", options, "overlay", "merged"], { cwd: folder }).status, 0);
};
const writeCounts = (home, counts) =>
  writeFileSync(`${home}/.cleat/counts.json`, JSON.stringify({ version: 1, counts }));

/** What is broken, by the kind under which it is found. All is mended without any consent. */
const damages = {
  overlay2: {
    "link-missing": (home) => unlinkSync(link(home, "base")),
    "link-dangling": (home) => symlinkSync("../gone/diff", `${home}/l/GONE`),
    "link-wrong": (home) => symlinkSync("/etc", `${home}/l/ESCAPE`),
    "link-unused": (home) => symlinkSync("../c/diff", `${home}/l/SECOND`),
    "link-file-missing": (home) => unlinkSync(`${home}/app/link`),
    "lower-missing": (home) => unlinkSync(`${home}/app/lower`),
    "work-missing": (home) => rmSync(`${home}/c/work`, { recursive: true }),
    "merged-left": (home) => mkdirSync(`${home}/c/merged`),
    "half-made-layer": (home) => mkdirSync(`${home}/half/work`, { recursive: true }),
    "staged-left": (home) => mkdirSync(`${home}/.cleat/staging/x/diff`, { recursive: true }),
    "trash-left": (home) => mkdirSync(`${home}/.cleat/trash/x/diff`, { recursive: true }),
    "counts-wrong": (home) => writeCounts(home, { c: 3, gone: 2 }),
    "stale-mount": (home) => mountOverlay(`${home}/.cleat/staging/probe`),
  },
  vfs: {
    "mark-left": (home) => writeFileSync(`${home}/.cleat/filling/gone`, "base"),
    "filling-left": (home) => renameSync(`${home}/.cleat/unfilled/app`, `${home}/.cleat/filling/app`),
    "staged-left": (home) => mkdirSync(`${home}/.cleat/staging/x/y`, { recursive: true }),
    "trash-left": (home) => mkdirSync(`${home}/.cleat/trash/x/y`, { recursive: true }),
  },
  btrfs: {
    "quota-left": (home) => {
      mkdirSync(`${home}/quotas`, { recursive: true });
      writeFileSync(`${home}/quotas/gone`, "1000000");
    },
    "not-a-subvolume": (home) => mkdirSync(`${home}/subvolumes/folder`),
    "staged-left": (home) => {
      const snapshot = ["subvolume", "snapshot", `${home}/subvolumes/app`, `${home}/.cleat/staging/x`];
      assert.equal(spawnSync("btrfs", snapshot).status, 0);
      assert.equal(spawnSync("btrfs", ["subvolume", "create", `${home}/.cleat/staging/x/nested`]).status, 0);
    },
    "trash-left": (home) => {
      assert.equal(spawnSync("btrfs", ["subvolume", "create", `${home}/.cleat/trash/x`]).status, 0);
    },
  },
};

/** All of it at once, in one store: found, mended, and not found again. Each by itself is with the unit tests. */
export async function damageIsMended(driver, folder) {
  const home = `${folder}/home`;
  await makeStore(driver, home);
  assert.deepEqual(cleat("fsck", home).store.findings, []);
  const kinds = Object.keys(damages[driver]).toSorted();
  for (const damage of Object.values(damages[driver])) damage(home);
  const found = cleat("fsck", home);
  assert.equal(found.status, 5);
  assert.deepEqual(kindsOf(found.store.findings), kinds);
  const { status, store, stderr } = cleat("fsck", home, "--repair");
  assert.deepEqual([status, store?.findings], [0, []], stderr);
  for (const kind of kinds) assert.ok(kindsOf(store.repaired).includes(kind), kind);
  const again = cleat("fsck", home, "--repair");
  assert.deepEqual([again.status, again.store.repaired, again.store.findings], [0, [], []]);
  await assertWorks(driver, home);
}

/** What a killed process leaves behind. */
export async function crashIsMended(driver, folder) {
  const home = `${folder}/home`;
  const worker = spawn(process.execPath, [`${import.meta.dirname}/crash-worker.mjs`, "remove", driver, home, "l"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(worker, "exit");
  let said = 0;
  for await (const line of createInterface(worker.stdout)) {
    if (line.endsWith(" applying") && ++said === 2) worker.kill("SIGKILL");
  }
  await ended;
  const { status, store, stderr } = cleat("fsck", home, "--repair");
  assert.deepEqual([status, store?.findings], [0, []], stderr);
  assert.deepEqual(cleat("fsck", home).store.findings, []);
  const staged = `${home}/.cleat/staging`;
  assert.deepEqual(readdirSync(staged), []);
  await (await factories[driver].open({ home })).close();
}

/** A store that is served is looked at, what is just being made in it passed over, and not repaired. */
export async function servedStore(driver, folder) {
  const home = `${folder}/home`;
  await makeStore(driver, home);
  const opened = await factories[driver].open({ home });
  const { promise: begun, resolve: begin } = withResolvers();
  const { promise: rest, resolve: goOn } = withResolvers();
  await opened.create("slow", {});
  const applying = opened.applyDiff("slow", undefined, halting(begin, rest));
  await begun;
  const { status, store } = cleat("fsck", home);
  assert.deepEqual([status, store.inUse, store.findings], [0, true, []]);
  const refused = cleat("fsck", home, "--repair");
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /is being served/);
  assert.ok(cleat("layers", home).store.layers.some(({ id }) => id === "slow"));
  goOn();
  await applying;
  assert.ok((await filesOf(opened, "slow")) > 0, "what was made while it was looked at is not whole");
  await opened.close();
}

/** On an overlay of two file systems files have another device than the file system has. */
export async function servedOnOverlay(driver, folder) {
  for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(`${folder}/${name}`);
  const mount = (...args) => assert.equal(spawnSync("mount", args, { encoding: "utf8" }).stderr, "");
  mount("-t", "tmpfs", "lower", `${folder}/lower`);
  const data = `lowerdir=${folder}/lower,upperdir=${folder}/upper,workdir=${folder}/work`;
  mount("-t", "overlay", "overlay", "-o", data, `${folder}/merged`);
  const home = `${folder}/merged/home`;
  const opened = await factories[driver].open({ home });
  await opened.create("a", {});
  assert.equal(cleat("fsck", home).store.inUse, true);
  await opened.close();
  assert.equal(cleat("fsck", home).store.inUse, false);
}

/** The archive, which goes on after its first piece once `rest` is there. */
async function* halting(begin, rest) {
  let first = true;
  for await (const chunk of toLayer.stream()) {
    yield chunk;
    if (first) {
      first = false;
      begin();
      await rest;
    }
  }
}

function withResolvers() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Mounts that somebody works in, here or in another namespace, are never taken away. */
export async function mountsInUse(driver, folder) {
  const home = `${folder}/home`;
  await makeStore(driver, home, true);
  const before = cleat("layers", home).store.layers.find(({ id }) => id === "c");
  assert.deepEqual([before.role, before.holds, before.mounts.length], ["container", 1, 1]);
  assert.deepEqual(cleat("fsck", home, "--repair").store.findings, [], "a layer that is mounted is not wrong");
  assert.equal(readFileSync(`${home}/c/merged/written`, "utf8"), "by the container");

  const elsewhere = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", "echo; read line"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(elsewhere.stdout, "data");
  try {
    assert.equal(spawnSync("umount", [`${home}/c/merged`]).status, 0);
    assert.deepEqual(
      cleat("layers", home)
        .store.layers.find(({ id }) => id === "c")
        .mounts.map((mount) => mount.elsewhere),
      [true],
    );
    assert.equal(cleat("fsck", home, "--repair").status, 0);
    const seen = spawnSync(
      "nsenter",
      ["--mount", "--target", String(elsewhere.pid), "cat", `${home}/c/merged/written`],
      { encoding: "utf8" },
    );
    assert.equal(seen.stdout, "by the container", "a mount of another namespace is gone");
  } finally {
    elsewhere.stdin.end("\n");
    await once(elsewhere, "exit");
  }
  assert.deepEqual(kindsOf(cleat("fsck", home, "--repair").store.repaired), ["merged-left"]);
  await assertWorks(driver, home);
}

/** A layer that is mounted and has lost its folders goes once nobody works in it. */
export async function mountOfLostLayer(driver, folder) {
  const home = `${folder}/home`;
  await makeStore(driver, home);
  const opened = await factories[driver].open({ home });
  await opened.createReadWrite("lost", { parent: "app" });
  const merged = await opened.get("lost", {});
  await opened.close();
  rmSync(`${home}/lost/diff`, { recursive: true });
  const worker = spawn("sh", ["-c", "echo; read line"], { cwd: merged, stdio: ["pipe", "pipe", "inherit"] });
  await once(worker.stdout, "data");
  try {
    const busy = cleat("fsck", home, "--repair");
    assert.equal(busy.status, 5);
    assert.match(busy.store.findings.find(({ kind }) => kind === "stale-mount").obstacle, /EBUSY/);
    assert.ok(existsSync(`${home}/lost`));
  } finally {
    worker.stdin.end("\n");
    await once(worker, "exit");
  }
  const { status, store } = cleat("fsck", home, "--repair");
  assert.deepEqual([status, store.findings], [0, []]);
  assert.ok(kindsOf(store.repaired).includes("stale-mount"));
  assert.ok(!existsSync(`${home}/lost`));
  await assertWorks(driver, home);
}

/** Orphans go by consent only, and never while they are mounted. */
export async function orphansByConsent(driver, folder) {
  const home = `${folder}/overlay2`;
  await makeStore(driver, home);
  const known = `${folder}/image/overlay2/layerdb/mounts/c`;
  mkdirSync(known, { recursive: true });
  writeFileSync(`${known}/mount-id`, "c");
  const opened = await factories[driver].open({ home });
  for (const [id, parent] of [
    ["forgotten", "app"],
    ["upon", "forgotten"],
    ["held", "app"],
  ])
    await opened.createReadWrite(id, { parent });
  writeFileSync(`${home}/forgotten/diff/precious`, "");
  await opened.get("held", {});
  await opened.close();
  const orphansIn = ({ store }) => store.findings.filter(({ kind }) => kind === "orphaned").map(({ layer }) => layer);
  assert.deepEqual(orphansIn(cleat("fsck", home)), ["forgotten", "held", "upon"]);
  assert.deepEqual(orphansIn(cleat("fsck", home, "--repair")), ["forgotten", "held", "upon"]);
  assert.ok(existsSync(`${home}/forgotten/diff/precious`), "a layer went without consent");
  writeFileSync(`${folder}/engine.db`, "");
  const engine = spawn("sh", ["-c", 'exec 3< "$1"; echo; read line', "sh", `${folder}/engine.db`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(engine.stdout, "data");
  try {
    const refused = cleat("fsck", home, "--repair", "--remove-orphans");
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /stop it first/);
  } finally {
    engine.stdin.end("\n");
    await once(engine, "exit");
  }
  assert.deepEqual(orphansIn(cleat("fsck", home, "--repair", "--remove-orphans")), ["held"]);
  assert.ok(!existsSync(`${home}/forgotten`) && !existsSync(`${home}/upon`));
  await assertWorks(driver, home);
}
