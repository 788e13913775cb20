/**
 * Two hosts that share volumes by an etcd: two `cleat serve volume --scope global` on one machine, with folders of
 * their own. `node global.mjs FOLDER PROGRAMS`, in mounts of its own; PROGRAMS is a root that holds etcd and rclone.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { hasMounts, isMountPoint } from "cleat/volumedrivers";
import { addPrograms, freePort } from "../../harness/volumes/volume-servers.mjs";
import { endAllAtExit, endChild, startChild, startHost, until } from "./shared-hosts.mjs";

const [, , scratch, programs] = process.argv;
addPrograms(programs);
const served = `${scratch}/served`;
await mkdir(served);
const ports = [await freePort(), await freePort()];
const url = `http://127.0.0.1:${ports[0]}`;
endAllAtExit(scratch);

let etcd = await startEtcd();
let a = await startHost(scratch, "a", ["--etcd", url]);
let b = await startHost(scratch, "b", ["--etcd", url]);
const given = { type: "rclone", backend: "local", device: served };
const single = { options: { ...given, access: "single" } };

// names, options and scope are the same everywhere; secrets are shown nowhere
assert.deepEqual(await a.driver.capabilities(), { scope: "global" });
await a.driver.create("data", single);
await b.driver.create("data", single); // the same
await assert.rejects(b.driver.create("data", { options: given }), { code: "ALREADY_EXISTS" });
await assert.rejects(b.driver.create("bad", { options: { ...given, o: "wrong" } }), /option "o" takes ro/);
await assert.rejects(b.driver.create("bad", { options: { ...given, access: "few" } }), /option "access" takes/);
await assert.rejects(b.driver.create("bad", { options: { type: "tmpfs" } }), /option "device" is needed/);
assert.deepEqual(
  (await b.driver.list()).map(({ name }) => name),
  ["data"],
);
assert.equal((await b.driver.get("data")).status.Access, "single");
await a.driver.create("many", { options: { ...given, "local-encoding": "Slash,Dot,Ctl" } });
assert.doesNotMatch(JSON.stringify([await b.driver.list(), await b.driver.get("many")]), /Slash,Dot,Ctl/);

// one host at a time, whoever asks first, of many at once
for (let round = 0; round < 5; round++) {
  const outcomes = await Promise.allSettled([a, b, a, b].map(({ driver }, index) => driver.mount("data", `c${index}`)));
  const has = outcomes.map(({ status }) => status === "fulfilled");
  assert.deepEqual([has[2], has[3]], [has[0], has[1]], JSON.stringify(outcomes));
  assert.notEqual(has[0], has[1], "both have it, or none");
  assert.notEqual(isMountPoint(a.target("data")), isMountPoint(b.target("data")));
  const { reason } = outcomes.find(({ status }) => status === "rejected");
  assert.match(reason.message, /volume "data" is in use by host "[ab]" \([\da-f-]+\)$/);
  for (const [index, { driver }] of [a, b, a, b].entries()) await driver.unmount("data", `c${index}`);
}
for (const { driver } of [a, b]) await driver.mount("many", "c");
await writeFile(`${await a.driver.path("many")}/file`, "by a");
await until("sent", async () => (await readFile(`${served}/file`, "utf8")) === "by a");
await assert.rejects(a.driver.remove("many"), { code: "FAILED_PRECONDITION" });
for (const { driver } of [a, b]) await driver.unmount("many", "c");

// killed while it has it: refused to others, and its own again when it is back
await a.driver.mount("data", "c");
await a.kill();
await assert.rejects(b.driver.mount("data", "c"), /volume "data" is in use by host "a"/);
await assert.rejects(b.driver.remove("data"), { code: "FAILED_PRECONDITION" });
a = await startHost(scratch, "a", ["--etcd", url]);
await a.driver.mount("data", "d");
await a.driver.unmount("data", "c");
await a.driver.unmount("data", "d");
await b.driver.mount("data", "c");
await b.driver.unmount("data", "c");

// killed in the middle: what was told to others is taken back where nothing is mounted
for (const step of ["mount: recorded", "mount: mounted", "unmount: recorded", "unmount: unmounted"]) {
  await a.stop();
  a = await startHost(scratch, "a", ["--etcd", url], step);
  const lost = (async () => {
    await a.driver.mount("data", "c");
    await a.driver.unmount("data", "c");
  })();
  await assert.rejects(lost, step);
  await a.ended;
  a = await startHost(scratch, "a", ["--etcd", url]);
  await until(`${step}: free`, async () => (await b.driver.mount("data", "c"), true));
  assert.equal(isMountPoint(a.target("data")), false, step);
  await b.driver.unmount("data", "c");
}

// etcd is gone: an error in words, and what is mounted stays, takes more holders and is given back
await a.driver.mount("data", "c");
await etcd.stop();
await assert.rejects(b.driver.mount("data", "c"), { message: /etcd at http:\/\/127.0.0.1:\d+ does not answer/ });
await assert.rejects(b.driver.list(), { message: /does not answer/ });
await assert.rejects(b.driver.create("new", { options: given }), { message: /does not answer/ });
await writeFile(`${await a.driver.mount("data", "d")}/meanwhile`, "written");
await until("sent", () => existsSync(`${served}/meanwhile`)); // a host with unsent files keeps the volume
for (const id of ["c", "d"]) await a.driver.unmount("data", id);
assert.equal(isMountPoint(a.target("data")), false);
etcd = await startEtcd();
await assert.rejects(b.driver.mount("data", "c"), /in use by host "a"/); // it was not told yet
await until("told that it is free", async () => (await b.driver.mount("data", "c"), true));
await b.driver.unmount("data", "c");

// a host that is not heard from keeps its volume until somebody says that it is down for good
await a.driver.mount("data", "c");
const held = await b.driver.mount("data", "c").catch((error) => error);
const [, id] = /\(([\da-f-]{36})\)/.exec(held.message);
const early = b.cleat("unlock", "data", id);
assert.match(early.stderr, /is heard from: it gives back what it has itself/);
a.freeze();
etcdctl("lease", "revoke", BigInt(JSON.parse(readFileSync(`${scratch}/a/host.json`, "utf8")).lease).toString(16));
await assert.rejects(b.driver.mount("data", "c"), /is in use by host "a" \(.*\), which is not heard from/);
assert.equal(b.cleat("unlock", "data", id).status, 0);
await b.driver.mount("data", "c");
// it is back: it mounts it for nobody, and says so
a.thaw();
await until("noticed", () => /volume is mounted here, and was given to another/.test(a.log()));
await assert.rejects(a.driver.mount("data", "d"), { code: "FAILED_PRECONDITION", message: /in use by host "b"/ });
assert.match((await a.driver.get("data")).status.State, /in use by host "b"/);
await a.driver.unmount("data", "c");
await b.driver.unmount("data", "c");
await until("free", async () => (await a.driver.mount("data", "c"), true));
await a.driver.unmount("data", "c");

// a folder that was copied is no second host, nor what it holds the copy's
await a.driver.mount("data", "c");
await mkdir(`${scratch}/copy`);
spawnSync("cp", ["-a", `${scratch}/a/host.json`, `${scratch}/copy/host.json`]);
const copy = await startHost(scratch, "copy", ["--etcd", url]);
await assert.rejects(copy.driver.mount("data", "c"), /is a copy of another folder/);
await copy.driver.unmount("data", "c").catch(() => {});
await copy.stop();
await assert.rejects(b.driver.mount("data", "c"), /in use by host "a"/);
await a.driver.unmount("data", "c");

// removed by one, gone from all
await b.driver.remove("many");
await assert.rejects(a.driver.get("many"), { code: "NOT_FOUND" });
await until("gone from a", () => !existsSync(`${scratch}/a/local/volumes/many`));
await a.driver.remove("data");
for (const host of [a, b]) await host.stop();
for (const name of ["a", "b"]) assert.equal(hasMounts(`${scratch}/${name}`), false);
assert.equal(etcdctl("get", "--prefix", "/cleat/cleat/", "--keys-only").trim(), "");
await etcd.stop();
process.exit();

function etcdctl(...args) {
  return execFileSync("etcdctl", ["--endpoints", url, ...args], {
    encoding: "utf8",
    env: { ...process.env, ETCDCTL_API: "3" },
  });
}

async function startEtcd() {
  const peer = `http://127.0.0.1:${ports[1]}`;
  const flags = {
    name: "one",
    "data-dir": `${scratch}/etcd`,
    "listen-client-urls": url,
    "advertise-client-urls": url,
    "listen-peer-urls": peer,
    "initial-advertise-peer-urls": peer,
    "initial-cluster": `one=${peer}`,
  };
  const child = startChild(
    "etcd",
    Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]),
    { stdio: "ignore" },
  );
  for (let tries = 0; ; tries++) {
    if (
      spawnSync("etcdctl", ["--endpoints", url, "endpoint", "health"], { env: { ...process.env, ETCDCTL_API: "3" } })
        .status === 0
    )
      break;
    assert.ok(tries < 100, "etcd does not start");
    await delay(100);
  }
  return { stop: () => endChild(child, "SIGKILL") };
}
