import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createHeldDisk, type HeldDisk } from "../../state/journal/held-disk.test.support.ts";
import { createSimulatedDisk, type SimulatedDisk } from "../../state/journal/simulated-disk.test.support.ts";
import { createMemoryStorage, createPlaces, type Places } from "../conformance/memory-storage.test.support.ts";
import type { Snapshotter } from "../snapshotter.ts";
import { openOverFiles } from "./open-snapshotter.ts";

const labels = { "containerd.io/snapshot.ref": "sha256:a" };
const ofFirst = "default/1/extract-1 sha256:a";
const ofSecond = "moby/7/extract-1 sha256:a";

let disk: SimulatedDisk;
let places: Places;
let snapshotter: Snapshotter;
let held: HeldDisk;

beforeEach(async () => {
  disk = createSimulatedDisk();
  places = createPlaces();
  held = createHeldDisk(disk);
  snapshotter = await openOverFiles(held.files, createMemoryStorage(places));
  await snapshotter.prepare(ofFirst, { labels });
});
afterEach(async () => {
  held.goOn();
  await snapshotter.close();
});

/** A commit whose record is not on the disk, and what a second namespace is told meanwhile, once it is told. */
async function commitWhileAsked() {
  held.hold();
  const commit = snapshotter.commit("default/2/sha256:a", ofFirst, { labels });
  commit.catch(() => {});
  await vi.waitFor(() => snapshotter.stat("default/2/sha256:a"));
  let isTold = false;
  const second = snapshotter.prepare(ofSecond, { labels }).finally(() => (isTold = true));
  second.catch(() => {});
  for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
  return { commit, second, isTold: () => isTold };
}

it("a layer is adopted by a second namespace once its commit is on the disk", async () => {
  const { commit, second, isTold } = await commitWhileAsked();
  expect(isTold()).toBe(false);
  held.goOn();
  await expect(second).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  await commit;
  const after = await openOverFiles(disk.reboot("all is lost"), createMemoryStorage(places));
  expect((await after.stat("default/2/sha256:a")).kind).toBe("committed");
  await after.close();
});

it("one whose commit a full disk takes back is unpacked again", async () => {
  const { commit, second } = await commitWhileAsked();
  disk.refuseAt = disk.steps + 1;
  held.goOn();
  await expect(commit).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  expect(await second).not.toEqual([]);
  expect((await snapshotter.stat(ofSecond)).kind).toBe("active");
});

it("one that is on the disk is told of without waiting for what is written of it next", async () => {
  await snapshotter.commit("default/2/sha256:a", ofFirst, { labels });
  held.hold();
  const update = snapshotter.update("default/2/sha256:a", { labels: { ...labels, other: "1" } });
  await expect(snapshotter.prepare(ofSecond, { labels })).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  held.goOn();
  await update;
});
