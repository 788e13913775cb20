/**
 * How soon a call that is given up is over: `node bench/streams/giving-up.mjs [TRIES] [DRIVER…]`, as root, in a mount
 * namespace of its own (`unshare --mount`). In the middle of an archive of 1 GiB, and of a walk of 20,000 files: from
 * `abort()` until the call has rejected, and until the layer is as `create` left it.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { Readable } from "node:stream";
import * as drivers from "../../dist/drivers/index.js";
import { buildArchive, file, folder } from "../../dist/testing/index.js";

const [tries = "20", ...names] = process.argv.slice(2);
const archiveBytes = 2 ** 30;
const mib = Buffer.alloc(2 ** 20, "x");
const factories = Object.fromEntries(
  [drivers.overlay2, drivers.vfs, drivers.btrfs, drivers.fuseOverlayfs].map((factory) => [factory.name, factory]),
);

const scratch = mkdtempSync("/var/tmp/cleat-giving-up-");
try {
  for (const name of names.length > 0 ? names : Object.keys(factories)) await measure(name);
} finally {
  for (const home of readdirSync(scratch)) if (home.startsWith("mnt")) execFileSync("umount", [`${scratch}/${home}`]);
  rmSync(scratch, { recursive: true, force: true });
}

async function measure(name) {
  const home = name === "btrfs" ? mountBtrfs() : `${scratch}/${name}`;
  mkdirSync(home, { recursive: true });
  const driver = await factories[name].open({ home: `${home}/layers` });
  await driver.create("base");
  await driver.applyDiff("base", undefined, Readable.from([manyFiles(4_000)]));
  await driver.createReadWrite("changed", { parent: "base" });
  const root = await driver.get("changed");
  for (let n = 0; n < 4; n++) makeFiles(root, n);
  await driver.put("changed");
  await report(name, "applyDiff of 1 GiB", async (at) => unpack(driver, at));
  const usualMs = await timeMs(() => driver.diff("changed", "base").then(readAll));
  await report(name, `diff, of ${Math.round(usualMs)} ms`, (at) => walk(driver, at * usualMs, "diff"));
  const changesMs = await timeMs(() => driver.changes("changed", "base"));
  await report(name, `changes, of ${Math.round(changesMs)} ms`, (at) => walk(driver, at * changesMs, "changes"));
  await driver.cleanup();
  await driver.close();
}

/** 4,000 more that are empty. */
function makeFiles(root, n) {
  execFileSync("sh", ["-c", `cd "$1" && mkdir new-${n} && cd new-${n} && seq 4000 | xargs touch`, "sh", root]);
}

/** @param {number} at which part of the archive is sent before the call is given up */
async function unpack(driver, at) {
  await driver.create("new", { parent: "base" });
  const caller = new AbortController();
  let sinceMs = 0;
  async function* archive() {
    yield header(archiveBytes);
    for (let sent = 0; sent < archiveBytes; sent += mib.length) {
      if (sinceMs === 0 && sent > at * archiveBytes) {
        sinceMs = performance.now();
        caller.abort();
      }
      yield mib;
    }
    yield Buffer.alloc(1024);
  }
  const code = await driver.applyDiff("new", "base", archive(), { signal: caller.signal }).then(
    () => "done",
    (error) => error.code,
  );
  const rejectedMs = performance.now() - sinceMs;
  const path = await driver.get("new");
  if (readdirSync(path).includes("big")) throw new Error("the layer is not as it was created");
  await driver.put("new");
  const undoneMs = performance.now() - sinceMs;
  if (code !== "CANCELLED") throw new Error(`the call was ${code}`);
  await driver.remove("new");
  return { rejectedMs, undoneMs };
}

async function walk(driver, afterMs, method) {
  const caller = new AbortController();
  let sinceMs;
  setTimeout(() => {
    sinceMs = performance.now();
    caller.abort();
  }, afterMs);
  const call = driver[method]("changed", "base", { signal: caller.signal });
  const code = await (method === "diff" ? call.then(readAll) : call).then(
    () => "done",
    (error) => error.code,
  );
  return code === "CANCELLED" ? { rejectedMs: performance.now() - sinceMs } : undefined; // quicker than usual
}

async function readAll(stream) {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
}

async function report(name, what, attempt) {
  const results = [];
  for (let n = 0; n < Number(tries); n++) {
    const result = await attempt(0.1 + (0.6 * n) / Number(tries));
    if (result !== undefined) results.push(result);
  }
  const of = (key) => {
    const sorted = results.map((result) => result[key]).toSorted((one, other) => one - other);
    const shown = (ms) => ms.toFixed(1);
    const over = sorted.filter((ms) => ms > 100).length;
    return `median ${shown(sorted[sorted.length >> 1])}, max ${shown(sorted.at(-1))} ms, ${over} over 100`;
  };
  console.log(`${name}: ${what}: ${results.length} times given up: rejected ${of("rejectedMs")}`);
  if (results[0]?.undoneMs !== undefined) console.log(`${name}: ${what}: as created ${of("undoneMs")}`);
}

async function timeMs(work) {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

function manyFiles(count) {
  const entries = Array.from({ length: count }, (_, n) => file(`many/${n}`, "content"));
  return buildArchive([folder("many"), ...entries]);
}

/** The header of a file of that size; its content comes after it. */
function header(size) {
  const block = Buffer.alloc(512);
  block.write("big", 0);
  block.write("0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  block.write("00000000000\0", 136);
  block.fill(" ", 148, 156);
  block.write("0ustar\x0000", 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function mountBtrfs() {
  const image = `${scratch}/btrfs.img`;
  execFileSync("truncate", ["--size=6G", image]);
  execFileSync("mkfs.btrfs", ["--quiet", image]);
  const mountPoint = `${scratch}/mnt-btrfs`;
  mkdirSync(mountPoint);
  execFileSync("mount", ["-o", "loop", image, mountPoint]);
  return mountPoint;
}
