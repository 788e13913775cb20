/** Snapshots whose records the storage writes that has made their places. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { SystemError } from "../../errors/index.ts";
import { endOffer, makeOfferedWrite } from "../../syscall/index.ts";
import { createMemoryStorage, createPlaces, type Places } from "../conformance/memory-storage.test.support.ts";
import type { Snapshotter } from "../snapshotter.ts";
import { openSnapshotter } from "./open-snapshotter.ts";

let root: string;
let places: Places;
let snapshotter: Snapshotter;
/** How often a record was written along. */
let written: number;
let givenUp: AbortController;
/** What else there is to make behind the record. */
let behind: () => void | Promise<void>;

const open = async () => {
  const storage = createMemoryStorage(places);
  const create: typeof storage.create = async (place, call) => {
    const mounts = await storage.create(place, call);
    await nextTurn();
    if (place.record !== undefined) {
      makeOfferedWrite(place.record);
      if ((await endOffer(place.record)) === "written") written++;
    }
    await behind();
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
  givenUp = new AbortController();
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

it.each([
  {
    what: "its thread dies",
    behind() {
      throw new Error("thread died");
    },
    message: "thread died",
  },
  { what: "its caller has given it up", behind: () => givenUp.abort(new Error("given up")), message: "given up" },
  {
    what: "a write of the disk has failed",
    async behind() {
      places.beforeStep = (step) => {
        if (step === "sync") throw new SystemError(5, "syncfs");
      };
      await expect(snapshotter.commit("base", "first", {})).rejects.toThrow("may be lost");
      places.beforeStep = () => {};
    },
    message: "may be lost",
  },
])("are not there where $what behind it, and can be made again", async (failure) => {
  behind = failure.behind;
  const failing = snapshotter.prepare("one", {}, { signal: givenUp.signal });
  await expect(failing).rejects.toThrow(failure.message);
  expect(written).toBe(1);
  await expect(snapshotter.stat("one")).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(places.made.size).toBe(1);
  behind = () => {};
  await snapshotter.prepare("one", {});
  await reopen();
  expect((await snapshotter.stat("one")).kind).toBe("active");
});
