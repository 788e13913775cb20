/**
 * The kit of checks, of volumes of every type that needs no server: `node conformance.mjs FOLDER [TYPE…]`, or of those
 * that programs serve: `node conformance.mjs FOLDER sshfs|rclone PROGRAMS`, in mounts of its own.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { runVolumeDriverKit } from "cleat/testing";
import { openManagedVolumes, volumeTypes } from "cleat/volumedrivers";
import { addPrograms, isListening, setUpSshServer, setUpWebdavServer } from "../../harness/volumes/volume-servers.mjs";

const [, , scratch, ...types] = process.argv;
const served = ["sshfs", "rclone"].includes(types[0]) ? await serve(types[0], types.pop()) : {};
await mkdir(`${scratch}/theirs`);
const all = {
  plain: { type: "local" },
  bind: { device: `${scratch}/theirs` },
  tmpfs: { size: "8m" },
  image: { size: "8m" },
  overlay: { device: `${scratch}/theirs` },
  local: { from: "origin" },
  snapshot: { type: "local", from: "origin", snapshot: "true" },
  ...served,
};

const ofOneFolder = {
  "files/apart": "volumes of one device are one folder",
  "files/empty-again": "the folder is the user's, with all that is in it",
};
/** What a type is there for. */
const known = {
  bind: ofOneFolder,
  sshfs: ofOneFolder,
  rclone: { "files/empty-again": ofOneFolder["files/empty-again"] },
  tmpfs: { "files/kept": "memory goes with the last holder" },
};

for (const [name, given] of Object.entries(all)) {
  if (types.length > 0 && !types.includes(name)) continue;
  const options = { type: name, ...given };
  const open = async () => {
    const folder = `${scratch}/${name}`;
    const driver = await openManagedVolumes({ name: "cleat", folder, types: volumeTypes, defaultType: "local" });
    await driver.create("origin");
    return driver;
  };
  const results = await runVolumeDriverKit({ open, options, listLimitMs: 5_000, expectedFailures: known[name] });
  const failed = results.filter(
    ({ id, outcome, error }) =>
      outcome === "failed" &&
      // A snapshot is there to be read.
      !(name === "snapshot" && error?.code === "EROFS") &&
      // Two volumes of one folder see what the other has sent when it is sent, and their lists of names are old enough.
      !(name === "rclone" && id === "files/apart"),
  );
  assert.ok(results.filter(({ outcome }) => outcome === "passed").length > 10, name);
  assert.deepEqual(failed, [], name);
}
process.exit();

/** Starts the server that volumes of the type are of; it ends with this process. */
async function serve(type, programs) {
  addPrograms(programs);
  const place = { served: `${scratch}/served`, password: "s3cr3t-word" };
  await mkdir(place.served);
  const { program, args, port, options } = await (type === "sshfs"
    ? setUpSshServer({ keys: `${scratch}/keys`, ...place })
    : setUpWebdavServer({ accounts: `${scratch}/accounts`, ...place }));
  const child = spawn(program, args, { stdio: "ignore" });
  process.on("exit", () => child.kill("SIGKILL"));
  while (!isListening(port)) await delay(20);
  return { [type]: options };
}
