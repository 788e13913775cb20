/** Snapshots whose records the storage writes that has made their places. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeOfferedWrite, outcomeOfWrite } from "../../syscall/index.ts";
import { createMemoryStorage, createPlaces, type Places } from "../conformance/memory-storage.test.support.ts";
import type { NewPlace } from "../snapshot-storage.ts";
import type { Snapshotter } from "../snapshotter.ts";
import { openSnapshotter } from "./open-snapshotter.ts";

let root: string;
let places: Places;
let snapshotter: Snapshotter;
/** How often a record was written along. */
let written: number;
/** What else there is to make behind the record. */
let behind: (place: NewPlace) => void;

const open = async () => {
  const storage = createMemoryStorage(places);
  const create: typeof storage.create = async (place, call) => {
    const mounts = await storage.create(place, call);
    await nextTurn();
    if (place.record !== undefined) {
      makeOfferedWrite(place.record);
      if (outcomeOfWrite(place.record) === "written") written++;
    }
    behind(place);
    return mounts;
  };
  snapshotter = await openSnapshotter({ root, storage: { ...storage, create } });
};
const reopen = async () => {
  await snapshotter.close();
  await open();
};

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "cleat-along-"));
  places = createPlaces();
  behind = () => {};
  await open();
  await snapshotter.prepare("first", {}); // sets ids and room aside
  written = 0;
});
afterEach(async () => {
  await snapshotter.close();
  rmSync(root, { recursive: true });
});

it("are there for who opens them next", async () => {
  await snapshotter.prepare("one", {});
  await snapshotter.view("two", {});
  expect(written).toBe(2);
  await reopen();
  expect((await snapshotter.stat("one")).kind).toBe("active");
  expect((await snapshotter.stat("two")).kind).toBe("view");
});

it("are not there where that fails behind it, and can be made again", async () => {
  behind = () => {
    throw new Error("thread died");
  };
  await expect(snapshotter.prepare("one", {})).rejects.toThrow("thread died");
  expect(written).toBe(1);
  await expect(snapshotter.stat("one")).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(places.made.size).toBe(1);
  behind = () => {};
  await snapshotter.prepare("one", {});
  await reopen();
  expect((await snapshotter.stat("one")).kind).toBe("active");
});
