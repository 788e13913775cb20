/**
 * Two hosts that share volumes by an etcd of three members over TLS, with members that are killed, frozen and too few:
 * `node etcd-members.mjs FOLDER PROGRAMS`, in mounts of its own; PROGRAMS is a root that holds etcd and rclone.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { hasMounts, isMountPoint } from "cleat/volumedrivers";
import { addPrograms, freePort } from "../../harness/volumes/volume-servers.mjs";
import { endAllAtExit, endChild, startChild, startHost, until } from "./shared-hosts.mjs";

const [, , scratch, programs] = process.argv;
addPrograms(programs);
endAllAtExit(scratch);
const served = `${scratch}/served`;
const tls = `${scratch}/tls`;
for (const folder of [served, tls]) await mkdir(folder);
await makeCertificates();

const names = ["one", "two", "three"];
const ports = {};
for (const name of names) ports[name] = { client: await freePort(), peer: await freePort() };
const urlOf = (name) => `https://127.0.0.1:${ports[name].client}`;
const members = {};
await Promise.all(names.map((name) => startMember(name)));
for (const name of names) await until(`${name} is healthy`, () => isHealthy(name));

const etcdOf = (order, who = "client", ca = "ca") => {
  const files = [
    "--etcd-ca",
    `${tls}/${ca}.pem`,
    "--etcd-cert",
    `${tls}/${who}.pem`,
    "--etcd-key",
    `${tls}/${who}.key`,
  ];
  return ["--etcd", order.map(urlOf).join(","), ...files];
};
const given = { type: "rclone", backend: "local", device: served };
const single = { options: { ...given, access: "single" } };

// who is not known, or knows another authority, is told so, and makes nothing
const stranger = await startHost(scratch, "stranger", etcdOf(names, "stranger"));
await assert.rejects(stranger.driver.create("data", single), { message: /etcd at https.* does not answer/ });
await assert.rejects(stranger.driver.list(), { message: /etcd at https.* does not answer/ });
await stranger.stop();
const distrustful = await startHost(scratch, "distrustful", etcdOf(names, "client", "other-ca"));
await assert.rejects(distrustful.driver.create("data", single), { message: /does not answer: .*certificate/ });
await distrustful.stop();
const plain = await startHost(scratch, "plain", ["--etcd", urlOf("one").replace("https", "http")]);
await assert.rejects(plain.driver.create("data", single), { message: /^.*etcd/ });
await plain.stop();

// each host asks another member first
const [a, b] = [
  await startHost(scratch, "a", etcdOf(names)),
  await startHost(scratch, "b", etcdOf([...names].reverse())),
];
const hosts = [a, b];
for (const { driver } of hosts)
  for (const [name, options] of [
    ["data", single],
    ["many", { options: given }],
  ])
    await driver.create(name, options);
await oneAtATime("all there", 3);

// one that is no leader is killed: nobody notices
let leader = await leaderOf(names);
let follower = names.find((name) => name !== leader);
await members[follower].kill();
await oneAtATime("a follower killed", 3, { isAnswered: true });
await startMember(follower);
await until("healthy again", () => isHealthy(follower));

// the leader is killed: until there is another some are refused, and never both have it
await Promise.all([members[leader].kill(), race("the leader killed", 5)]);
const rest = names.filter((name) => name !== leader);
await until("another leader", async () => (await leaderOf(rest)) !== undefined);
await oneAtATime("another leader", 3, { isAnswered: true });
await startMember(leader);
await until("healthy again", () => isHealthy(leader));

// the leader is frozen while a volume is mounted, and thawed when it is none any more
await mounted(a, "data", "c");
leader = await leaderOf(names);
members[leader].freeze();
await assert.rejects(b.driver.mount("data", "c"), { message: /in use by host "a"|does not answer/ });
assert.equal(await a.driver.mount("data", "d"), a.target("data"));
const others = names.filter((name) => name !== leader);
await until("another leader", async () => (await leaderOf(others)) !== undefined);
for (const id of ["c", "d"]) await a.driver.unmount("data", id);
await until("given back", () => b.driver.mount("data", "c"));
members[leader].thaw();
for (let tries = 0; tries < 20; tries++) {
  await assert.rejects(a.driver.mount("data", "c"), { message: /in use by host "b"|does not answer/ });
  assert.equal(isMountPoint(a.target("data")), false, "the old leader was believed");
}
await b.driver.unmount("data", "c");
await oneAtATime("the old leader is back", 3);

// one of three is left: nothing is made, listed or mounted; what is mounted stays, and is given back
await mounted(a, "data", "c");
for (const name of names.slice(1)) await members[name].kill();
const refused = { message: /etcd at https:\/\/127.0.0.1:\d+ (?:does not answer|refuses)/ };
for (const { driver } of hosts) {
  await assert.rejects(driver.create("new", single), refused);
  await assert.rejects(driver.list(), refused);
}
await assert.rejects(b.driver.mount("data", "c"), refused);
await assert.rejects(b.driver.mount("many", "c"), refused);
await writeFile(`${await a.driver.mount("data", "d")}/meanwhile`, "written");
await until("sent", () => existsSync(`${served}/meanwhile`)); // a host with unsent files keeps the volume
for (const id of ["c", "d"]) await a.driver.unmount("data", id);
assert.equal(isMountPoint(a.target("data")), false);
for (const name of names.slice(1)) await startMember(name);
await until("told that it is free", () => b.driver.mount("data", "c"));
await b.driver.unmount("data", "c");

// no volume and no option was lost
for (const { driver } of hosts) {
  const list = await driver.list();
  assert.deepEqual(list.map(({ name }) => name).toSorted(), ["data", "many"]);
  assert.equal((await driver.get("data")).status.Access, "single");
  await driver.create("data", single); // the same
  await driver.create("many", { options: given });
}
assert.equal(existsSync(`${scratch}/a/local/volumes/new`), false);
for (const name of ["data", "many"]) await a.driver.remove(name);
for (const host of hosts) await host.stop();
for (const name of ["a", "b"]) assert.equal(hasMounts(`${scratch}/${name}`), false);
for (const name of names) await members[name].kill();
process.exit();

/** Both ask at once: one has it, and the other is told so. `isAnswered`: also where a member is missing. */
async function oneAtATime(when, rounds, { isAnswered = false } = {}) {
  if (isAnswered) await race(when, 1); // each finds a member that answers
  const results = await race(when, rounds);
  for (const outcomes of results) {
    const said = outcomes.map(({ status, reason }) => reason?.message ?? status);
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1, `${when}: ${said.join("; ")}`);
    assert.match(
      said.find((one) => one !== "fulfilled"),
      /volume "data" is in use by host "[ab]" \(/,
      when,
    );
  }
}

async function race(when, rounds) {
  const results = [];
  for (let round = 0; round < rounds; round++) {
    const outcomes = await Promise.allSettled(hosts.map(({ driver }) => driver.mount("data", "c")));
    const have = hosts.map(({ target }) => isMountPoint(target("data")));
    assert.ok(!(have[0] && have[1]), `${when}: both have it`);
    for (const [index, { status }] of outcomes.entries())
      if (status === "fulfilled") assert.ok(have[index], `${when}: one was told that it has it`);
    results.push(outcomes);
    for (const { driver } of hosts) await driver.unmount("data", "c");
    // What etcd was not told of is told when it answers.
    await until(`${when}: free`, async () => uses().length === 0);
  }
  return results;
}

async function mounted({ driver }, volume, id) {
  await until(`${volume} is free`, () => driver.mount(volume, id));
}

/** What etcd has of who has what: "/cleat/cleat/uses/data/<host>". */
function uses() {
  const text = etcdctl(["get", "--prefix", "/cleat/cleat/uses/", "--keys-only"], names);
  return text.split("\n").filter((line) => line !== "");
}

function etcdctl(args, of) {
  const files = ["--cacert", `${tls}/ca.pem`, "--cert", `${tls}/client.pem`, "--key", `${tls}/client.key`];
  const argv = ["--endpoints", of.map(urlOf).join(","), "--command-timeout=3s", ...files, ...args];
  const { status, stdout, stderr } = spawnSync("etcdctl", argv, {
    encoding: "utf8",
    env: { ...process.env, ETCDCTL_API: "3" },
  });
  if (status !== 0) throw new Error(`etcdctl ${args.join(" ")}: ${stderr}`);
  return stdout;
}

function isHealthy(name) {
  etcdctl(["endpoint", "health"], [name]);
  return true;
}

/** Of those that are asked; `undefined` while they have none. */
async function leaderOf(asked) {
  return asked.find((name) => {
    const [{ Status }] = JSON.parse(etcdctl(["endpoint", "status", "-w", "json"], [name]));
    return Status.leader === Status.header.member_id && !(Status.errors?.length > 0);
  });
}

async function startMember(name) {
  const { client } = ports[name];
  const peerOf = (one) => `http://127.0.0.1:${ports[one].peer}`;
  const flags = {
    name,
    "data-dir": `${scratch}/etcd-${name}`,
    "listen-client-urls": `https://127.0.0.1:${client}`,
    "advertise-client-urls": `https://127.0.0.1:${client}`,
    "listen-peer-urls": peerOf(name),
    "initial-advertise-peer-urls": peerOf(name),
    "initial-cluster": names.map((one) => `${one}=${peerOf(one)}`).join(","),
    "cert-file": `${tls}/server.pem`,
    "key-file": `${tls}/server.key`,
    "trusted-ca-file": `${tls}/ca.pem`,
  };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  const child = startChild("etcd", [...args, "--client-cert-auth"], { stdio: "ignore" });
  members[name] = {
    kill: () => endChild(child, "SIGKILL"),
    freeze: () => child.kill("SIGSTOP"),
    thaw: () => child.kill("SIGCONT"),
  };
  await delay(0);
}

/** An authority, a server and a client of it; another authority, and a stranger of it. */
async function makeCertificates() {
  const openssl = (...args) => execFileSync("openssl", args, { stdio: ["ignore", "pipe", "pipe"] });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  for (const ca of ["ca", "other-ca"])
    openssl("req", "-x509", ...newKey, "-subj", `/CN=${ca}`, "-keyout", `${tls}/${ca}.key`, "-out", `${tls}/${ca}.pem`);
  // etcd's gateway calls etcd by the server's certificate, as a client.
  const both = "extendedKeyUsage=serverAuth,clientAuth";
  for (const [name, ca, extensions] of [
    ["server", "ca", `subjectAltName=IP:127.0.0.1\n${both}`],
    ["client", "ca", "extendedKeyUsage=clientAuth"],
    ["stranger", "other-ca", "extendedKeyUsage=clientAuth"],
  ]) {
    const [key, request, certificate] = ["key", "csr", "pem"].map((ending) => `${tls}/${name}.${ending}`);
    await writeFile(`${tls}/${name}.ext`, extensions);
    openssl("req", ...newKey.slice(0, -2), "-subj", `/CN=${name}`, "-keyout", key, "-out", request);
    const by = ["-CA", `${tls}/${ca}.pem`, "-CAkey", `${tls}/${ca}.key`, "-CAcreateserial", "-days", "2"];
    openssl("x509", "-req", "-in", request, ...by, "-extfile", `${tls}/${name}.ext`, "-out", certificate);
  }
}
