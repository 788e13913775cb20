import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createMemoryStorage, createPlaces, type Places } from "../conformance/memory-storage.test.support.ts";
import { openSnapshotter } from "../store/open-snapshotter.ts";
import { syncPatienceMs } from "../store/sync-in-time.ts";
import type { Snapshotter } from "../snapshotter.ts";

/** As the kernel tells it: once, to whoever asks next, and the pages count as written from then on. */
const writeFailed = () => Object.assign(new Error("EIO: i/o error, syncfs"), { code: "EIO", syscall: "syncfs" });
const isLost = { code: "DATA_LOSS", message: expect.stringContaining("unpack it again") };

let folder: string;
let places: Places;
let snapshotter: Snapshotter;
/** What the next syncs come to, in their order; success when there is no more. */
let syncs: (() => void | Promise<void>)[];

const open = () => openSnapshotter({ root: join(folder, "records"), storage: createMemoryStorage(places) });
const fail = () => {
  throw writeFailed();
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-lost-"));
  places = createPlaces();
  syncs = [];
  places.beforeStep = (step) => (step === "sync" ? syncs.shift()?.() : undefined);
  snapshotter = await open();
});
afterEach(async () => {
  vi.useRealTimers();
  await snapshotter.close();
  await rm(folder, { recursive: true });
});

it("a write that failed is every snapshot's that was there, in each commit, until it is removed", async () => {
  for (const key of ["a", "b"]) await snapshotter.prepare(key, {});
  syncs = [fail];
  await expect(snapshotter.commit("A", "a", {})).rejects.toMatchObject(isLost);
  for (const key of ["a", "b", "a"]) await expect(snapshotter.commit("name", key, {})).rejects.toMatchObject(isLost);
  await snapshotter.update("b", { labels: { l: "1" } });
  await expect(snapshotter.commit("B", "b", {})).rejects.toMatchObject(isLost);
  expect((await snapshotter.stat("b")).kind).toBe("active");
  await snapshotter.prepare("c", {});
  await snapshotter.commit("C", "c", {});
  await snapshotter.remove("a");
  await snapshotter.prepare("a", {});
  await snapshotter.commit("A", "a", {});
});

it("what was committed before is not doubted", async () => {
  await snapshotter.prepare("a", {});
  await snapshotter.commit("A", "a", {});
  await snapshotter.prepare("b", { parent: "A" });
  syncs = [fail];
  await expect(snapshotter.commit("B", "b", {})).rejects.toMatchObject(isLost);
  await snapshotter.prepare("c", { parent: "A" });
  await snapshotter.commit("C", "c", {});
});

it("a commit whose own flush began after the one that failed is refused, too", async () => {
  for (const key of ["a", "b"]) await snapshotter.prepare(key, {});
  let begin = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  syncs = [() => (begin(), ended.then(fail)), () => ended];
  const first = snapshotter.commit("A", "a", {});
  await begun;
  const second = snapshotter.commit("B", "b", {});
  end();
  expect(await Promise.allSettled([first, second])).toMatchObject([{ reason: isLost }, { reason: isLost }]);
});

it("what is written behind and fails is no less lost", async () => {
  const key = "ns/1/extract-1 sha256:a";
  await snapshotter.prepare(key, {});
  const failed = new Promise<void>((resolve) => {
    syncs = [() => (resolve(), fail())];
  });
  await failed;
  await expect(snapshotter.commit("A", key, {})).rejects.toMatchObject(isLost);
});

it("so is what a flush loses that was given up", async () => {
  await snapshotter.prepare("a", {});
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  syncs = [() => ended.then(fail)];
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const refused = expect(snapshotter.commit("A", "a", {})).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  await vi.advanceTimersByTimeAsync(syncPatienceMs);
  vi.useRealTimers();
  await refused;
  end();
  await expect(snapshotter.commit("A", "a", {})).rejects.toMatchObject(isLost);
});

it("a snapshot that is being made while a write fails is not made", async () => {
  await snapshotter.prepare("a", {});
  syncs = [fail];
  places.beforeStep = async (step) => {
    if (step === "sync") return syncs.shift()?.();
    if (step === "create") await expect(snapshotter.commit("A", "a", {})).rejects.toMatchObject(isLost);
  };
  await expect(snapshotter.prepare("b", {})).rejects.toMatchObject({ code: "DATA_LOSS" });
  await expect(snapshotter.stat("b")).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect([...places.made.keys()]).toEqual([1]);
});

it("whoever opens the records later knows of it", async () => {
  for (const key of ["a", "b"]) await snapshotter.prepare(key, {});
  syncs = [fail];
  await expect(snapshotter.commit("A", "a", {})).rejects.toMatchObject(isLost);
  await snapshotter.close();
  snapshotter = await open();
  await expect(snapshotter.commit("B", "b", {})).rejects.toMatchObject(isLost);
  await snapshotter.close();
  snapshotter = await open();
  await snapshotter.update("b", { labels: { l: "1" } });
  await expect(snapshotter.commit("B", "b", {})).rejects.toMatchObject(isLost);
  await snapshotter.remove("b");
  await snapshotter.prepare("b", {});
  await snapshotter.commit("B", "b", {});
});
