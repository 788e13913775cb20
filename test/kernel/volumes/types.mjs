/** The ready-made types of volumes, mounted for real in mounts of this process's own: `node types.mjs FOLDER`. */
import assert from "node:assert/strict";
import { chmod, mkdir, open, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { channel } from "node:diagnostics_channel";
import {
  isMountPoint,
  mountFileSystem,
  openManagedVolumes,
  otherVolumeTypes,
  unmountFileSystem,
  volumeTypes,
} from "cleat/volumedrivers";

const scratch = process.argv[2];
const folder = `${scratch}/cleat`;
const nextUnmount = () =>
  new Promise((resolve) =>
    channel("cleat:volumes").subscribe(({ step, volume }) => step === "unmount: unmounted" && resolve(volume)),
  );

const options = { types: volumeTypes, otherTypes: otherVolumeTypes, defaultType: "local" };
const driver = await openManagedVolumes({ name: "cleat", folder, ...options });
const mountOptions = (path) =>
  readFile("/proc/self/mountinfo", "utf8").then((text) => {
    const [fields] = text.split("\n").flatMap((line) => (line.split(" ")[4] === path ? [line.split(" ")] : []));
    return `${fields[5]},${fields.at(-1)}`;
  });
const refused = (given, message) => assert.rejects(driver.create("bad", { options: given }), message);

// local: a folder that is always there
await driver.create("plain");
assert.equal(await driver.path("plain"), `${folder}/volumes/plain/data`);
await writeFile(`${await driver.mount("plain", "c")}/file`, "kept");
await driver.unmount("plain", "c");
assert.equal(await readFile(`${await driver.path("plain")}/file`, "utf8"), "kept");

// what cannot be removed, as somebody has mounted something in it, stays what it was, also when that has gone
await mkdir(`${await driver.path("plain")}/inside`);
await mountFileSystem({ type: "tmpfs", source: "theirs", target: `${await driver.path("plain")}/inside` });
await assert.rejects(driver.remove("plain"), { code: "FAILED_PRECONDITION" });
assert.equal((await driver.get("plain")).status.State, undefined);
assert.equal(await readFile(`${await driver.mount("plain", "c")}/file`, "utf8"), "kept");
await driver.unmount("plain", "c");
await unmountFileSystem(`${await driver.path("plain")}/inside`);

// bind: another folder, which stays
await mkdir(`${scratch}/theirs`);
await writeFile(`${scratch}/theirs/file`, "theirs");
await driver.create("bound", { options: { type: "bind", device: `${scratch}/theirs`, o: "ro,noexec" } });
const bound = await driver.mount("bound", "c");
assert.equal(await readFile(`${bound}/file`, "utf8"), "theirs");
await assert.rejects(writeFile(`${bound}/file`, "mine"), { code: "EROFS" });
assert.match(await mountOptions(bound), /^ro,noexec/);
await driver.unmount("bound", "c");
await driver.remove("bound");
assert.equal(await readFile(`${scratch}/theirs/file`, "utf8"), "theirs");
await driver.create("relative", { options: { type: "tmpfs", o: "bind" } });
await assert.rejects(driver.mount("relative", "c"), /"tmpfs" is not an absolute path/);
await driver.create("docker-like", { options: { type: "none", device: `${scratch}/theirs`, o: "bind" } });
assert.equal(await readFile(`${await driver.mount("docker-like", "c")}/file`, "utf8"), "theirs");
await driver.unmount("docker-like", "c");

// overlay: another folder, which stays as it is below the volume's own changes
await chmod(`${scratch}/theirs`, 0o1770);
await driver.create("above", { options: { type: "overlay", device: `${scratch}/theirs`, o: "nodev" } });
const above = await driver.mount("above", "c");
assert.equal((await stat(above)).mode & 0o7777, 0o1770);
await writeFile(`${above}/file`, "mine");
await writeFile(`${above}/new`, "mine");
await driver.unmount("above", "c");
assert.equal(isMountPoint(above), false);
assert.deepEqual(
  [await readdir(`${scratch}/theirs`), await readFile(`${scratch}/theirs/file`, "utf8")],
  [["file"], "theirs"],
);
await driver.mount("above", "d");
assert.equal(await readFile(`${above}/file`, "utf8"), "mine");
await driver.unmount("above", "d");
await driver.remove("above");
await refused({ type: "overlay", device: `${scratch}/a:b` }, /option "device" takes an absolute path without colons/);
const layers = ["upper", "work"].map((name) => `${scratch}/${name}`);
for (const layer of layers) await mkdir(layer);
const given = `lowerdir=${scratch}/theirs,upperdir=${layers[0]},workdir=${layers[1]}`;
await driver.create("given", { options: { type: "overlay", device: "overlay", o: given } }); // as Docker's own driver
assert.equal(await readFile(`${await driver.mount("given", "c")}/file`, "utf8"), "theirs");
await driver.unmount("given", "c");

// tmpfs: with a size, as an option of its own or in o
await driver.create("memory", { options: { type: "tmpfs", size: "1m", o: "uid=7,nodev" } });
const memory = await driver.mount("memory", "c");
await assert.rejects(writeFile(`${memory}/file`, Buffer.alloc(2 ** 21)), { code: "ENOSPC" });
assert.match(await mountOptions(memory), /nodev.*size=1024k.*uid=7/);
assert.deepEqual((await driver.get("memory")).status.SizeBytes, 2 ** 20);

// busy: the last holder goes, and it is unmounted as soon as it can be
const file = await open(`${memory}/file`);
await driver.unmount("memory", "c");
assert.equal(isMountPoint(memory), true);
await assert.rejects(driver.remove("memory"), /"memory" cannot be unmounted: umount: .*busy/);
assert.equal(await driver.mount("memory", "d"), memory); // a holder who comes has it
assert.equal((await file.stat()).ino > 0, true);
await driver.unmount("memory", "d");
const unmounted = nextUnmount();
const alive = setTimeout(() => {}, 60_000); // as a plugin's socket would
await file.close();
assert.deepEqual([await unmounted, isMountPoint(memory)], ["memory", false]);
clearTimeout(alive);
await driver.remove("memory");

// somebody has unmounted it: the next mount mounts again
await driver.create("again", { options: { type: "tmpfs" } });
const again = await driver.mount("again", "c");
await unmountFileSystem(again);
assert.equal(await driver.path("again"), undefined);
assert.equal(await driver.mount("again", "c"), again);
assert.deepEqual(driver.holders("again"), ["c"]);

// what is wrong is said by its name
await refused({ type: "nfs", device: "server" }, /option "device" takes "server:\/path"/);
await refused({ type: "nfs", device: ":/x" }, /option "o" is to hold addr=server/);
await refused({ type: "cifs", device: "/x" }, /option "device" takes "\/\/server\/share"/);
await refused({ type: "none", device: "/x" }, /option "o" of type "none" is to hold "bind"/);
await refused({ type: "../x", device: "/x" }, /option "type": "..\/x" is unknown/);
await refused({ type: "tmpfs", mode: "rwx" }, /option "mode" takes 1777/);
await driver.create("odd", { options: { type: "oddfs", device: "x" } });
await assert.rejects(driver.mount("odd", "c"), /"odd" cannot be mounted: this kernel knows no file system "oddfs"/);
await driver.create("typo", { options: { type: "tmpfs", o: "sise=1m,password=hunter2" } });
const failure = await driver.mount("typo", "c").catch((error) => error);
assert.match(failure.message, /"typo" cannot be mounted: .*sise/);
assert.doesNotMatch(JSON.stringify([await driver.list(), failure.message]), /hunter2/);
assert.deepEqual(driver.holders("typo"), []);

// a size where nothing enforces it is refused, with what was seen
const sized = await driver.create("sized", { options: { size: "1m" } }).catch((error) => error);
if (sized !== undefined) assert.match(sized.message, /"sized" cannot be created: a size/);
await driver.close();
