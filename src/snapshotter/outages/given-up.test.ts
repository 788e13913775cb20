/** Calls whose callers do not wait for their answers any more. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { CallOptions } from "../../protocol/index.ts";
import { createHeldDisk, type HeldDisk } from "../../state/journal/held-disk.test.support.ts";
import { createSimulatedDisk } from "../../state/journal/simulated-disk.test.support.ts";
import { createMemoryStorage, createPlaces, type Places } from "../conformance/memory-storage.test.support.ts";
import type { Snapshotter } from "../snapshotter.ts";
import { openOverFiles } from "../store/open-snapshotter.ts";

let places: Places;
let snapshotter: Snapshotter;
/** Of the records. */
let disk: HeldDisk;

beforeEach(async () => {
  places = createPlaces();
  disk = createHeldDisk(createSimulatedDisk());
  snapshotter = await openOverFiles(disk.files, createMemoryStorage(places));
  await snapshotter.prepare("active", {});
});
afterEach(async () => {
  disk.goOn();
  await snapshotter.close();
});

const calls: Readonly<Record<string, (call: CallOptions) => Promise<unknown>>> = {
  prepare: (call) => snapshotter.prepare("new", {}, call),
  view: (call) => snapshotter.view("new", {}, call),
  commit: (call) => snapshotter.commit("name", "active", {}, call),
  update: (call) => snapshotter.update("active", { labels: { l: "1" } }, call),
  remove: (call) => snapshotter.remove("active", call),
};
const others: typeof calls = {
  usage: (call) => snapshotter.usage("active", call),
  cleanup: (call) => snapshotter.cleanup(call),
  list: async (call) => {
    for await (const _ of snapshotter.list([], call));
  },
};

it.each(Object.entries({ ...calls, ...others }))("%s is CANCELLED that was given up before", async (_, call) => {
  await expect(call({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
  expect((await snapshotter.stat("active")).labels).toEqual({});
  await expect(snapshotter.stat("new")).rejects.toMatchObject({ code: "NOT_FOUND" });
});

it.each(Object.entries(calls))("%s waits no longer than it was told to for a disk that hangs", async (_, call) => {
  disk.hold();
  await expect(call({ timeoutMs: 20 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  disk.goOn();
  await snapshotter.cleanup();
});

it("what was given up while it waited for its key is not done", async () => {
  disk.hold();
  const renamed = snapshotter.update("active", { labels: { l: "1" } });
  await expect(snapshotter.remove("active", { timeoutMs: 20 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  disk.goOn();
  await renamed;
  await snapshotter.update("active", { labels: { l: "2" } });
  expect((await snapshotter.stat("active")).labels).toEqual({ l: "2" });
});
