/** The kit of checks, of volumes of every type that needs no server: `node conformance.mjs FOLDER`. */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { runVolumeDriverKit } from "cleat/testing";
import { openManagedVolumes, volumeTypes } from "cleat/volumedrivers";

const [, , scratch, ...types] = process.argv;
await mkdir(`${scratch}/theirs`);
const all = {
  plain: { type: "local" },
  bind: { device: `${scratch}/theirs` },
  tmpfs: { size: "8m" },
  image: { size: "8m" },
  overlay: { device: `${scratch}/theirs` },
  local: { from: "origin" },
  snapshot: { type: "local", from: "origin", snapshot: "true" },
};

/** What a type is there for. */
const known = {
  bind: {
    "files/apart": "volumes of one device are one folder",
    "files/empty-again": "the folder is the user's, with all that is in it",
  },
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
    // A snapshot is there to be read.
    ({ outcome, error }) => outcome === "failed" && !(name === "snapshot" && error?.code === "EROFS"),
  );
  assert.ok(results.filter(({ outcome }) => outcome === "passed").length > 10, name);
  assert.deepEqual(failed, [], name);
}
