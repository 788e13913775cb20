/**
 * Volumes that programs serve, sshfs and rclone, over servers on loopback that are killed, frozen and back:
 * `node fuse.mjs FOLDER PROGRAMS sshfs|rclone`, in mounts of its own. PROGRAMS is a root that holds them.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { createVolumeTypes, hasMounts, isMountPoint, openManagedVolumes } from "cleat/volumedrivers";
import { addPrograms, isListening, setUpSshServer, setUpWebdavServer } from "../../harness/volumes/volume-servers.mjs";

const [, , scratch, programs, type] = process.argv;
const folder = `${scratch}/cleat`;
const served = `${scratch}/served`;
const password = "s3cr3t-word";
const run = (program, ...args) => execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
addPrograms(programs);
await mkdir(served);

const warnings = [];
const logger = { debug() {}, info() {}, error() {}, warn: (fields, message) => warnings.push({ ...fields, message }) };
const types = createVolumeTypes({ configFolders: [`${scratch}/of-operator`] });
const open = (timeoutMs = 15_000) => openManagedVolumes({ name: "cleat", folder, types, logger, timeoutMs });
const processOf = (name) => JSON.parse(readFileSync(`${folder}/volumes/${name}/fuse.json`, "utf8")).process.pid;
const isAlive = (pid) => existsSync(`/proc/${pid}/exe`);
const children = new Set();
process.on("exit", () => {
  for (const child of children) kill(child.pid, "SIGCONT", "SIGKILL");
  for (const name of existsSync(`${folder}/volumes`) ? readdirSync(`${folder}/volumes`) : [])
    if (existsSync(`${folder}/volumes/${name}/fuse.json`)) kill(processOf(name), "SIGCONT", "SIGKILL");
});

const server = await (type === "sshfs" ? serveSsh() : serveWebdav());
await server.start();

async function until(what, test) {
  for (let tries = 0; ; tries++) {
    const result = await Promise.resolve()
      .then(test)
      .catch(() => false);
    if (result) return result;
    assert.ok(tries < 2400, `${what}: ${JSON.stringify(warnings)}`);
    await delay(50);
  }
}

// what is wrong is said by its name
let driver = await open();
const refused = (options, message) => assert.rejects(driver.create("bad", { options: { type, ...options } }), message);
for (const [options, message] of server.refused) await refused(options, message);
assert.deepEqual(await driver.list(), []);

// files of the server, for root and others; and no secret anywhere
await writeFile(`${served}/theirs`, "from the server");
await driver.create("data", { options: { type, ...server.options } });
let path = await driver.mount("data", "c");
assert.equal(path, `${folder}/mounts/data`);
assert.equal(await readFile(`${path}/theirs`, "utf8"), "from the server");
execFileSync("cat", ["theirs"], { cwd: path, uid: 65_534, gid: 65_534 }); // in a folder that it could not reach
await writeFile(`${path}/mine`, "from here");
assert.equal((await driver.get("data")).status.Usage, undefined);
assert.equal(typeof (await driver.get("data")).status.UsedBytes, "number");
const lines = readdirSync("/proc").flatMap((pid) => {
  try {
    return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, "utf8")] : [];
  } catch {
    return [];
  }
});
assert.ok(lines.some((line) => line.includes(path)));
for (const text of [
  ...lines,
  JSON.stringify(await driver.list()),
  readFileSync(`${folder}/volumes/data/fuse.log`, "utf8"),
])
  assert.ok(!text.includes(password), text);

// it dies, and another takes its place
await until("sent", async () => (await readFile(`${served}/mine`, "utf8")) === "from here");
const first = processOf("data");
process.kill(first, "SIGKILL");
await until("started anew", async () => (await readFile(`${path}/theirs`, "utf8")) === "from the server");
assert.notEqual(processOf("data"), first);
await until("told", () => /has died, and was started anew/.test(warnings.at(-1).message));
assert.deepEqual(driver.holders("data"), ["c"]);

// it outlives this driver, and is looked after by the next; also one that died in between
await driver.close();
const second = processOf("data");
driver = await open();
assert.deepEqual([processOf("data"), isAlive(second), driver.holders("data")], [second, true, ["c"]]);
process.kill(second, "SIGKILL");
await until("started anew by the next", async () => (await readFile(`${path}/theirs`, "utf8")) === "from the server");
await driver.close();
kill(processOf("data"), "SIGKILL"); // unless it was still being started
driver = await open();
await until("started anew at the start", async () => (await readFile(`${path}/theirs`, "utf8")) === "from the server");

// what is written is there when the last holder has gone, and no process is left
for (let index = 0; index < 20; index++) await writeFile(`${path}/file${index}`, `content ${index}`);
const last = processOf("data");
await driver.unmount("data", "c");
for (let index = 0; index < 20; index++)
  assert.equal(await readFile(`${served}/file${index}`, "utf8"), `content ${index}`);
assert.deepEqual([isMountPoint(path), isAlive(last)], [false, false]);
assert.equal(await readFile(`${served}/mine`, "utf8"), "from here");

// busy: it stays, and is kept running
path = await driver.mount("data", "c");
const file = await readFile(`${path}/theirs`).then(() => spawn("sleep", ["60"], { cwd: path }));
children.add(file);
await driver.unmount("data", "c");
assert.equal(isMountPoint(path), true);
assert.equal(await driver.mount("data", "d"), path);
kill(file.pid, "SIGKILL");
await driver.unmount("data", "d");

// one whose start nobody noted is found all the same
await driver.mount("data", "c");
const unnoted = processOf("data");
await driver.close();
await writeFile(`${folder}/volumes/data/fuse.json`, JSON.stringify({ version: 1 }));
driver = await open();
await driver.unmount("data", "c");
await until("ended", () => !isAlive(unnoted));

// a server that hangs costs its own calls their deadline, and others nothing
await driver.close();
driver = await open(4_000);
await driver.create("other", { options: { type, ...server.options } });
await driver.create("plain", { options: { type: "tmpfs" } });
await driver.mount("data", "c");
server.freeze();
const startedMs = performance.now();
const hung = driver.mount("other", "c").then(
  () => assert.fail("mounted"),
  (error) => error,
);
await driver.mount("plain", "c");
await driver.unmount("plain", "c");
assert.ok((await driver.list()).length === 3);
assert.ok(performance.now() - startedMs < 3_000, "others waited");
const failure = await hung;
if (server.asksFirst) assert.equal(failure.code, "DEADLINE_EXCEEDED", failure.message);
assert.equal(typeof (await driver.get("data")).status, "object");
assert.ok(performance.now() - startedMs < 15_000, "its own waited");
server.thaw();
await until("back", async () => (await readFile(`${path}/theirs`, "utf8")) === "from the server");
await driver.unmount("other", "c");
await driver.unmount("data", "c");
await driver.close();
driver = await open(30_000);
await server.more(driver);

for (const { name } of await driver.list()) await driver.remove(name);
assert.equal(hasMounts(folder), false);
assert.deepEqual(readdirSync(served).includes("theirs"), true);
await driver.close();
await server.stop();
process.exit();

function kill(pid, ...signals) {
  for (const signal of signals) {
    try {
      process.kill(pid, signal);
    } catch {
      // gone
    }
  }
}

/** A server in a process group of its own, which is frozen as a whole. */
async function createDaemon({ program, args, port }) {
  let child;
  const all = () => {
    const list = run("ps", "-e", "-o", "pid=,ppid=")
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number));
    const found = [child.pid];
    for (const parent of found) for (const [pid, ppid] of list) if (ppid === parent) found.push(pid);
    return found;
  };
  return {
    async start() {
      child = spawn(program, args, { stdio: ["ignore", "ignore", "ignore"] });
      children.add(child);
      await until(`${program} listens`, () => isListening(port));
    },
    freeze: () => all().forEach((pid) => kill(pid, "SIGSTOP")),
    thaw: () => all().forEach((pid) => kill(pid, "SIGCONT")),
    async stop() {
      const pids = all();
      for (const pid of pids) kill(pid, "SIGCONT", "SIGKILL");
      children.delete(child);
      await until(`${program} ends`, () => !pids.some(isAlive));
    },
  };
}

async function serveSsh() {
  const keys = `${scratch}/keys`;
  const own = await setUpSshServer({ keys, served, password });
  const { options, port, keyOf } = own;
  const { device } = options;
  const daemon = await createDaemon(own);
  return {
    ...daemon,
    options,
    asksFirst: true,
    refused: [
      [{ device: "-oProxyCommand=x:/y" }, /option "device" takes "user@server:\/path"/],
      [{ device: "server" }, /option "device"/],
      [{ device, o: "ProxyCommand=x" }, /option "o" takes ro, noexec/],
      [{ device, o: "ssh_command=x" }, /option "o" takes ro, noexec/],
      [{ device, identity: "/a,ProxyCommand=x" }, /option "identity" takes an absolute path without blanks and commas/],
      [{ device, host_key: "ssh-ed25519 A,B" }, /option "host_key" takes/],
      [{ device, password, identity: "/x" }, /option "password" and "identity" are two ways/],
    ],
    async more(volumes) {
      const failing = async (changed) => {
        await volumes.create("bad", { options: { type, ...options, ...changed } });
        const error = await volumes.mount("bad", "c").then(
          () => assert.fail("mounted"),
          (reason) => reason,
        );
        await volumes.remove("bad");
        return error;
      };
      const wrong = await failing({ password: "another-word" });
      assert.equal(wrong.code, "PERMISSION_DENIED", wrong.message);
      assert.ok(!wrong.message.includes("another-word"));
      const stranger = await failing({ host_key: keyOf("stranger") });
      assert.equal(stranger.code, "FAILED_PRECONDITION", stranger.message);
      await daemon.stop();
      const gone = await failing({});
      assert.equal(gone.code, "UNAVAILABLE", gone.message);
      await daemon.start();
      await writeFile(`${keys}/known`, `[127.0.0.1]:${port} ${keyOf("host")}\n`);
      const { password: _, host_key: __, ...rest } = options;
      const by = { ...rest, identity: `${keys}/user`, known_hosts: `${keys}/known`, o: "ro,uid=7" };
      await volumes.create("by-key", { options: { type, ...by } });
      const place = await volumes.mount("by-key", "c");
      await assert.rejects(writeFile(`${place}/x`, ""), { code: "EROFS" });
      assert.equal(run("stat", "-c", "%u", `${place}/theirs`), "7\n");
      await volumes.unmount("by-key", "c");
    },
  };
}

async function serveWebdav() {
  const own = await setUpWebdavServer({ accounts: `${scratch}/htpasswd`, served, password });
  const { options } = own;
  const daemon = await createDaemon(own);
  return {
    ...daemon,
    options,
    asksFirst: false,
    refused: [
      [{ device: "nothing" }, /option "device" takes "remote:path"/],
      [
        { device: "/a", backend: "webdav", "webdav-bearer-token-command": "x" },
        /"webdav-bearer-token-command" is no option/,
      ],
      [{ device: "/a", backend: "sftp", "sftp-ssh": "x" }, /"sftp-ssh" is no option/],
      [{ device: "/a", backend: "alias", "alias-remote": ":local:/etc" }, /option "backend" takes local, /],
      [{ device: "here:/a", config: `${scratch}/rclone.conf` }, /option "config" takes a file below /],
      [{ device: "/a", "webdav-url": "x" }, /"webdav-url" needs "backend"/],
      [{ device: ":webdav,pass=x:/a" }, /option "device" takes "remote:path"/],
      [{ device: "/a", backend: "local", o: "cache-dir=/" }, /option "o" takes ro/],
    ],
    async more(volumes) {
      // A server that is gone when a file is closed: the file waits, and is not thrown away.
      const place = await volumes.mount("data", "c");
      await readFile(`${place}/theirs`);
      await daemon.stop();
      await writeFile(`${place}/late`, "late").catch(() => {});
      await volumes.unmount("data", "c");
      assert.equal(existsSync(`${served}/late`), false);
      await assert.rejects(volumes.remove("data"), {
        code: "FAILED_PRECONDITION",
        message: /has not got yet, such as "late"/,
      });
      await daemon.start();
      await volumes.mount("data", "c");
      await until("sent", async () => (await readFile(`${served}/late`, "utf8")) === "late");
      await volumes.unmount("data", "c");
      // a configuration of the host's, whose file holds its secrets
      await mkdir(`${scratch}/of-operator`);
      await writeFile(`${scratch}/of-operator/rclone.conf`, `[here]\ntype = local\n`);
      await volumes.create("configured", {
        options: { type, device: `here:${served}`, config: `${scratch}/of-operator/rclone.conf`, o: "ro" },
      });
      const configured = await volumes.mount("configured", "c");
      assert.equal(await readFile(`${configured}/late`, "utf8"), "late");
      await assert.rejects(writeFile(`${configured}/x`, ""), { code: "EROFS" });
      await volumes.unmount("configured", "c");
    },
  };
}
