import { afterEach, beforeEach, expect, it } from "vitest";
import { createSimulatedDisk, type SimulatedDisk } from "../../state/journal/simulated-disk.test.support.ts";
import { createMemoryStorage, createPlaces, type Places } from "../conformance/memory-storage.test.support.ts";
import type { Snapshotter } from "../snapshotter.ts";
import { openOverFiles } from "./open-snapshotter.ts";

let disk: SimulatedDisk;
let places: Places;
let snapshotter: Snapshotter;
/** Lets the storage do what it is asked for. */
let goOn: () => void;

beforeEach(async () => {
  disk = createSimulatedDisk();
  places = createPlaces();
  const storage = createMemoryStorage(places);
  const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));
  const mounts: typeof storage.mounts = async (id, use) => {
    await mayGoOn;
    return storage.mounts(id, use);
  };
  snapshotter = await openOverFiles(disk, { ...storage, mounts });
  await snapshotter.prepare("base key", {});
  await snapshotter.prepare("other key", {});
  places.beforeStep = (step) => (step === "create" || step === "rebase" ? mayGoOn : undefined);
});
afterEach(() => snapshotter.close());

const isThere = (name: string) =>
  snapshotter.stat(name).then(
    () => true,
    () => false,
  );

const onBase: Readonly<Record<string, () => Promise<unknown>>> = {
  "is prepared": () => snapshotter.prepare("child", { parent: "base" }),
  "is a view": () => snapshotter.view("child", { parent: "base" }),
  "is committed": () => snapshotter.commit("child", "other key", { parent: "base" }),
};

it.each(Object.keys(onBase))("a snapshot that %s is on no parent whose commit a full disk takes back", async (how) => {
  disk.refuseAt = disk.steps + 1;
  const refused = snapshotter.commit("base", "base key", {}).catch((error: { code: unknown }) => error.code);
  while (!(await isThere("base"))) await Promise.resolve();
  const child = onBase[how]?.();
  expect(await refused).toBe("RESOURCE_EXHAUSTED");
  goOn();
  await expect(child).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect((await snapshotter.stat("base key")).kind).toBe("active");
  expect(await isThere("child")).toBe(false);
  // All of it can be done again.
  await snapshotter.commit("base", "base key", {});
  await onBase[how]?.();
  expect((await snapshotter.stat("child")).parent).toBe("base");
});
