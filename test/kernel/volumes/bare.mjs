/**
 * Volumes where no program is but Node, as in a managed plugin of Docker's: `node bare.mjs FOLDER`, in mounts of its
 * own. Hides the host's programs from itself first.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { mkdir, open, readdir, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { openManagedVolumes, otherVolumeTypes, volumeTypes } from "cleat/volumedrivers";

const [, self, folder, isBare] = process.argv;
if (isBare === undefined) {
  const places = "/usr/local/sbin /usr/local/bin /usr/sbin /sbin /bin /usr/bin"
    .split(" ")
    .filter((path) => existsSync(path));
  const hidden = [...new Set(places.map((path) => realpathSync(path)))]; // last the one with mount itself
  const hide = hidden.map((path) => `mount -t tmpfs none ${path}`).join(" && ");
  const script = `touch "$1/node" && mount --bind "$0" "$1/node" && ${hide} && exec "$1/node" "$2" "$1" bare`;
  execFileSync("sh", ["-c", script, process.execPath, folder, self], { stdio: "inherit" });
  process.exit();
}
assert.equal(existsSync("/usr/bin/umount"), false);

const options = { types: volumeTypes, otherTypes: otherVolumeTypes, defaultType: "local" };
const driver = await openManagedVolumes({ name: "cleat", folder: `${folder}/cleat`, ...options });
await driver.create("memory", { options: { type: "tmpfs", size: "1m" } });
const memory = await driver.mount("memory", "c");
assert.equal((await driver.get("memory")).status.SizeBytes, 2 ** 20);
const file = await open(`${memory}/file`, "w");
await driver.unmount("memory", "c");
await assert.rejects(driver.remove("memory"), { code: "FAILED_PRECONDITION", message: /busy/ });
await file.close();
await driver.remove("memory");

await driver.create("share", { options: { type: "nfs", device: "localhost:/none", o: "soft,retrans=0,timeo=1" } });
const unshared = await driver.mount("share", "c").then(assert.fail, (error) => error);
assert.doesNotMatch(unshared.message, /has no address/);

await driver.create("plain");
const plain = await driver.path("plain");
await writeFile(Buffer.concat([Buffer.from(`${plain}/`), Buffer.of(0xff)]), "not in UTF-8");
await mkdir(`${plain}/sub`);
await driver.remove("plain");
for (let tries = 0; (await readdir(`${folder}/cleat/trash`)).length > 0; tries++) {
  assert.ok(tries < 500, "what was removed is still there");
  await delay(20);
}
await driver.close();
