/** `cleat volumes`, of a driver that runs and of one that does not: `node backups.mjs FOLDER [some]`. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, readlink, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createHttpTransport } from "cleat/transport";
import { createVolumeDriverFromPlugin } from "cleat/volume";
import { hasMounts, openManagedVolumes, volumeTypes } from "cleat/volumedrivers";
import { assertSameTree, growTree } from "./tree.mjs";

const scratch = process.argv[2];
const root = `${scratch}/cleat`;
const socket = `${scratch}/cleat.sock`;
const main = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));
const pathOf = (name) => `${root}/volumes/${name}/data`;

function cleat(args, options = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "volumes", ...args], { ...options });
  return { status, stdout, text: stdout.toString(), stderr: stderr.toString() };
}
function done(args, options) {
  const result = cleat(args, options);
  assert.equal(result.status, 0, `${args.join(" ")}: ${result.stderr}`);
  return result;
}
function fails(args, message, options) {
  const { status, stderr } = cleat(args, options);
  assert.notEqual(status, 0, args.join(" "));
  assert.match(stderr, message);
}

const driver = await openManagedVolumes({ name: "cleat", folder: root, types: volumeTypes, defaultType: "local" });
await driver.create("data");
growTree(await driver.mount("data", "c"));
await driver.close();

// of a driver that does not run
const stopped = ["--root", root];
fails(["ls", "--root", `${scratch}/nothing`], /"\/.*nothing" is no folder of a volume driver/);
assert.equal(existsSync(`${scratch}/nothing`), false);
assert.match(done(["ls", ...stopped]).text, /^data +local +1 +\S+ +\/\S+$/m);
assert.deepEqual(JSON.parse(done(["inspect", "data", ...stopped]).text).holders, ["c"]);
assert.match(done(["du", ...stopped]).text, /^data +[\d.]+ KiB +-$/m);
fails(["rm", "data", ...stopped], /volume "data" is in use by one mount/);
const archive = `${scratch}/data.tar`;
done(["backup", "data", "--output", archive, ...stopped]);
done(["restore", "copy", "--input", archive, ...stopped]);
await symlink("/dev/null", `${scratch}/null`);
done(["backup", "data", "--output", `${scratch}/null`, ...stopped]);
assert.equal(await readlink(`${scratch}/null`), "/dev/null");
assertSameTree(pathOf("copy"), pathOf("data"), "a backup and back");
assert.deepEqual(JSON.parse(done(["inspect", "data", ...stopped]).text).holders, ["c"]);

fails(["resize", "data", "lots", ...stopped], /SIZE takes a size above nothing/);
fails(["resize", "data", "1g", ...stopped], /volume "data" cannot be given another size: ".*" was made without a size/);

// a running one, through its socket
await testResize();

if (process.argv[3] === "some") {
  fails(["restore", "half", ...stopped], /volume "half" cannot be restored: /, {
    input: "this is no archive".repeat(100),
  });
  done(["rm", "copy", ...stopped]);
  process.exit(0);
}

// GNU tar reads it, and what it wrote is restored
await mkdir(`${scratch}/gnu`);
const tar = (...args) => execFileSync("tar", ["--xattrs", "--xattrs-include=*", "--numeric-owner", ...args]);
tar("-xpf", archive, "-C", `${scratch}/gnu`);
assertSameTree(`${scratch}/gnu`, pathOf("data"), "as GNU tar reads it");
// It writes a device for each of its links.
await rm(`${pathOf("data")}/deep/deleted-too`);
tar("--format=posix", "--sparse", "-cf", `${scratch}/gnu.tar`, "-C", pathOf("data"), ".");
done(["restore", "theirs", ...stopped], { input: await readFile(`${scratch}/gnu.tar`) });
assertSameTree(pathOf("theirs"), pathOf("data"), "as GNU tar writes it");

// all or nothing
fails(["restore", "copy", "--input", archive, ...stopped], /volume "copy" exists/);
await truncate(archive, 3 * 512);
fails(["restore", "half", "--input", archive, ...stopped], /volume "half" cannot be restored: .*/);
fails(["restore", "half", ...stopped], /volume "half" cannot be restored: /, {
  input: "this is no archive".repeat(100),
});
fails(["restore", "half", "--opt", "sise=1g", ...stopped], /option "sise" is unknown/, { input: "" });
const killed = spawn(process.execPath, [main, "volumes", "restore", "half", ...stopped], { stdio: ["pipe", 2, 2] });
killed.stdin.write((await readFile(`${scratch}/gnu.tar`)).subarray(0, -1024));
while (killed.exitCode === null && !existsSync(`${pathOf("half")}/deep/er/file`)) await new Promise(setImmediate);
const ended = once(killed, "exit");
killed.kill("SIGKILL");
await ended;
assert.doesNotMatch(done(["ls", ...stopped]).text, /half/);
assert.equal((await readdir(`${root}/volumes`)).includes("half"), false);

// of a driver that runs
const serving = await serve();
const running = ["--plugin", socket];
fails(["ls", ...stopped], /"\/.*" are served by another process/);
assert.match(done(["ls", ...running]).text, /^copy +\S+ +.*\n(.*\n)*data /m);
const { stdout } = done(["backup", "data", ...running], { maxBuffer: 2 ** 28 });
done(["restore", "through", ...running], { input: stdout });
assertSameTree(pathOf("through"), pathOf("data"), "through the socket");
fails(["restore", "half", ...running], /volume "half" cannot be restored/, { input: stdout.subarray(0, 1536) });
fails(["rm", "data", ...running], /volume "data" is in use by one mount/);
done(["rm", "through", ...running]);
await writeFile(`${scratch}/out`, "kept");
fails(["backup", "nobody", "--output", `${scratch}/out`, ...running], /volume "nobody" does not exist/);
assert.equal(await readFile(`${scratch}/out`, "utf8"), "kept");
const names = JSON.parse(done(["ls", "--json", ...running]).text).volumes.map(({ name }) => name);
assert.deepEqual(names, ["copy", "data", "theirs"]);
serving.kill("SIGTERM");
await once(serving, "exit");
assert.equal(hasMounts(root), false);

async function serve() {
  const child = spawn(process.execPath, [main, "serve", "volume", "--root", root, "--socket", socket], {
    stdio: ["ignore", "pipe", 2],
  });
  await once(child.stdout, "data");
  return child;
}

async function testResize() {
  const child = await serve();
  try {
    const driver = await createVolumeDriverFromPlugin(createHttpTransport({ unix: socket }), { name: "cleat" });
    await driver.create("sized", { options: { type: "image", size: "8m" } });
    done(["resize", "sized", "24m", "--plugin", socket]);
    assert.equal((await driver.get("sized")).status.Options.size, String(24 * 2 ** 20));
    await driver.mount("sized", "c");
    assert.ok((await driver.get("sized")).status.SizeBytes > 16 * 2 ** 20);
    await driver.unmount("sized", "c");
    fails(["resize", "sized", "8m", "--plugin", socket], /size 8388608 is less than the 25165824 it has/);
    assert.equal((await driver.get("sized")).status.State, undefined);
    await driver.remove("sized");
    fails(["resize", "sized", "8m", "--plugin", socket], /volume "sized" does not exist/);
  } finally {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
}
