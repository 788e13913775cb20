/**
 * A driver of volumes in memory, or of the type VOLUME_TYPE, whose process is killed at each of its steps:
 * `node killed.mjs FOLDER`. What was acknowledged is there, with options and holders; what was not is there or not; and
 * all goes on from there. With `some STEP…` behind the folder it is killed at those only.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { channel } from "node:diagnostics_channel";
import { mkdir, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { hasMounts, isMountPoint, openManagedVolumes, volumeSteps, volumeTypes } from "cleat/volumedrivers";

const [, , scratch, killAt, ...some] = process.argv;
const { VOLUME_TYPE: type = "tmpfs", PROGRAMS: programs } = process.env;
const given =
  type === "rclone" ? { type, backend: "local", device: "/srv" } : { type, size: type === "image" ? "8m" : "1m" };
const larger = 16 * 2 ** 20;
const open = (folder) => openManagedVolumes({ name: "cleat", folder, types: volumeTypes });

async function live(driver) {
  await driver.create("data", { options: given });
  await driver.mount("data", "c1");
  await driver.unmount("data", "c1");
  if (type === "image") await driver.resize("data", larger);
  await driver.remove("data");
}

if (killAt !== undefined && killAt !== "some") {
  channel("cleat:volumes").subscribe(({ step }) => step === killAt && process.kill(process.pid, "SIGKILL"));
  await live(await open(scratch));
} else {
  if (programs) execFileSync("mount", ["-t", "overlay", "-o", `lowerdir=/usr:${programs}/usr`, "none", "/usr"]);
  const reached = volumeSteps.filter((step) => type === "image" || !step.startsWith("resize"));
  const steps = reached.filter((step) => killAt === undefined || some.includes(step));
  assert.ok(steps.length > 0);
  for (const [index, step] of steps.entries()) {
    const folder = `${scratch}/${index}`;
    await mkdir(folder);
    const { signal, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), folder, step]);
    assert.equal(signal, "SIGKILL", `${step}: ${stderr}`);
    await check(folder, step);
  }
}

function stepIs(wanted) {
  return new Promise((resolve) => channel("cleat:volumes").subscribe(({ step }) => step === wanted && resolve()));
}

async function check(folder, step) {
  const after = (earlier) => volumeSteps.indexOf(step) >= volumeSteps.indexOf(earlier);
  const target = `${folder}/mounts/data`;
  const isHalf = !after("create: acknowledged") || (after("remove: recorded") && !after("remove: acknowledged"));
  const removed = isHalf ? stepIs("remove: acknowledged") : undefined;
  const isLarger = after("resize: recorded");
  const resized = isLarger && !after("resize: acknowledged") ? stepIs("resize: acknowledged") : undefined;
  const driver = await open(folder);
  await resized; // behind the opening
  const [volume] = await driver.list();
  if (after("create: acknowledged") && !after("remove: recorded")) {
    assert.deepEqual(volume?.status.State, undefined, step);
    const size = isLarger && type === "image" ? String(larger) : given.size;
    assert.equal(volume?.status.Options.size, size, step);
    const isHeld = after("mount: acknowledged") && !after("unmount: recorded");
    assert.deepEqual(driver.holders("data"), isHeld ? ["c1"] : [], step);
    if (isHeld) assert.equal(isMountPoint(target), true, step);
  }
  if (!after("create: acknowledged") || after("remove: acknowledged")) assert.equal(volume, undefined, step);
  await removed; // behind the opening
  if (isHalf) assert.deepEqual([await driver.list(), await readdir(`${folder}/volumes`)], [[], []], step);
  // An engine asks again; whatever it was, it goes on.
  if (after("create: acknowledged") && !after("remove: recorded")) {
    await driver.mount("data", "c1");
    assert.equal(isMountPoint(target), true, step);
    if (isLarger && type === "image") assert.ok((await driver.get("data")).status.SizeBytes > larger / 2, step);
    await driver.unmount("data", "c1");
    await driver.remove("data");
  }
  await live(driver);
  assert.equal(hasMounts(folder), false, step);
  assert.deepEqual([await readdir(`${folder}/volumes`), await readdir(`${folder}/mounts`)], [[], []], step);
  await driver.close();
}
