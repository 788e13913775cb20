import { mkdir, mkdtemp, rename, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { silentLogger } from "../../transport/index.ts";
import { createMemoryStorage, createPlaces } from "../conformance/memory-storage.test.support.ts";
import { openSnapshotter } from "../store/open-snapshotter.ts";
import type { SnapshotStorage } from "../snapshot-storage.ts";
import { keepToRoot } from "./keep-to-root.ts";
import { createLayerStorage } from "./layer-storage.ts";
import type { ServableDriver } from "./servable-driver.ts";

/** A root, and where it is moved to, beside records that stay. */
async function makeRoot() {
  const folder = await mkdtemp(join(tmpdir(), "cleat-root-"));
  const at = (name: string): string => join(folder, name);
  await mkdir(at("root"));
  return { folder, root: at("root"), records: at("records"), moved: at("moved") };
}

it("neither reads nor deletes what another store has at the path of a root that was moved", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-root-"));
  const root = join(folder, "root");
  const places = createPlaces(); // as on a disk: whoever comes by the path finds the same
  const storage = () => createMemoryStorage(places);
  const open = async () => {
    const first = await openSnapshotter({ root, storage: storage() });
    await first.close();
    return openSnapshotter({ root, storage: keepToRoot(storage(), root) });
  };
  try {
    const moved = await open();
    await moved.prepare("mine", {});
    await rename(root, join(folder, "moved"));
    places.made.clear();
    places.everMade.length = 0;
    for (const step of ["nothing there", "another there"]) {
      if (step === "another there") {
        const other = await open();
        await other.prepare("theirs 1", {});
        await other.prepare("theirs 2", {});
        await other.close();
      }
      const there = [...places.made.keys()];
      const refused = { code: "FAILED_PRECONDITION", message: expect.stringContaining("is not the folder any more") };
      await expect(moved.mounts("mine"), step).rejects.toMatchObject(refused);
      await expect(moved.prepare("more", {}), step).rejects.toMatchObject(refused);
      await expect(moved.usage("mine"), step).rejects.toMatchObject(refused);
      await expect(moved.cleanup(), step).rejects.toMatchObject(refused);
      expect([...places.made.keys()], step).toEqual(there);
    }
    await moved.remove("mine"); // its record, which is where the root is now; its files are left to who opens that
    expect([...places.made.keys()]).toEqual([1, 2]);
    await moved.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("commits nothing that an engine may have written into another store, with and without a flush", async () => {
  for (const flushes of [true, false]) {
    const { folder, root, records, moved } = await makeRoot();
    const places = createPlaces();
    const { sync, ...others } = createMemoryStorage(places);
    const snapshotter = await openSnapshotter({
      root: records,
      storage: keepToRoot({ ...others, ...(flushes && { sync }) } as SnapshotStorage, root),
    });
    try {
      for (const key of ["before", "while", "flushed", "after"]) await snapshotter.prepare(key, {});
      await snapshotter.commit("b", "before", {});
      // While it is flushed another comes to stand there.
      places.beforeStep = async (step) => {
        if (step === "sync") await rename(root, moved);
      };
      if (!flushes) await rename(root, moved);
      const refused = { code: "FAILED_PRECONDITION", message: expect.stringContaining("is not the folder any more") };
      await expect(snapshotter.commit("w", "while", {})).rejects.toMatchObject(refused);
      delete places.beforeStep;
      await mkdir(root);
      await expect(snapshotter.prepare("more", {})).rejects.toMatchObject(refused);
      // What was written meanwhile is in neither.
      await rm(root, { recursive: true });
      await rename(moved, root);
      await expect(snapshotter.commit("f", "flushed", {})).rejects.toMatchObject({ code: "DATA_LOSS" });
      await snapshotter.prepare("later", { parent: "b" });
      await snapshotter.commit("l", "later", {});
    } finally {
      await snapshotter.close();
      await rm(folder, { recursive: true });
    }
  }
});

it("doubts no snapshot where the root could not be looked at for a moment, before the flush or after", async () => {
  const { folder, root, records, moved } = await makeRoot();
  const places = createPlaces();
  const storage = keepToRoot(createMemoryStorage(places), root);
  const snapshotter = await openSnapshotter({ root: records, storage });
  const hide = async () => {
    await rename(root, moved);
    await symlink(root, root); // stat(2) fails with ELOOP, as it may with EIO or ESTALE
  };
  const refused = { code: "UNAVAILABLE", message: expect.stringContaining("cannot be looked at") };
  try {
    for (const key of ["a", "b"]) await snapshotter.prepare(key, {});
    for (const when of ["before", "while"]) {
      let synced = 0;
      places.beforeStep = async (step) => {
        if (step !== "sync") return;
        synced++;
        if (when === "while") await hide();
      };
      if (when === "before") await hide();
      await expect(snapshotter.commit("A", "a", {}), when).rejects.toMatchObject(refused);
      await expect(snapshotter.prepare("c", {}), when).rejects.toMatchObject(refused);
      expect(synced, when).toBe(when === "while" ? 1 : 0);
      await rm(root);
      await rename(moved, root);
    }
    delete places.beforeStep;
    for (const key of ["a", "b"]) await snapshotter.commit(`layer ${key}`, key, {});
  } finally {
    await snapshotter.close();
    await rm(folder, { recursive: true });
  }
});

it("doubts, where another folder stood for a moment, what an engine may have mounted meanwhile", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const { folder, root, records, moved } = await makeRoot();
  const places = createPlaces();
  const open = () => openSnapshotter({ root: records, storage: keepToRoot(createMemoryStorage(places), root) });
  let snapshotter = await open();
  const standAside = async () => {
    await rename(root, moved);
    await mkdir(root);
    await expect(snapshotter.commit("none", "committing", {})).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    await rm(root, { recursive: true });
    await rename(moved, root);
  };
  const fate = (key: string) =>
    snapshotter.commit(`of ${key}`, key, {}).then(
      () => "committed",
      ({ code }) => code,
    );
  try {
    const layer = "ns/1/extract-1 sha256:a";
    for (const key of ["old", "later", "mounted again", layer]) await snapshotter.prepare(key, {});
    await snapshotter.prepare("committing", {});
    vi.advanceTimersByTime(15 * 60_000);
    await snapshotter.mounts("mounted again");
    await snapshotter.prepare("new", {});
    await standAside();
    for (const [key, expected] of [
      ["old", "committed"],
      ["committing", "committed"],
      ["mounted again", "DATA_LOSS"],
      ["new", "DATA_LOSS"],
      [layer, "DATA_LOSS"],
    ] as const) {
      expect([key, await fate(key)]).toEqual([key, expected]);
    }
    // Whom an earlier process told, and when, nobody knows.
    await snapshotter.close();
    snapshotter = await open();
    await snapshotter.prepare("committing", {});
    await standAside();
    expect(await fate("later")).toBe("DATA_LOSS");
  } finally {
    vi.useRealTimers();
    await snapshotter.close();
    await rm(folder, { recursive: true });
  }
});

it("takes away in a later clean-up what was removed while another folder stood there", async () => {
  const { folder, root, records, moved } = await makeRoot();
  const layers = new Set<string>();
  const driver = {
    name: "noting",
    capabilities: {},
    createReadWrite: async (id: string) => void layers.add(id),
    remove: async (id: string) => void layers.delete(id),
    mounts: async (id: string) => [{ type: "bind", source: `/layers/${id}`, options: ["rw", "rbind"] }],
    async *list() {
      for (const id of layers) yield { id };
    },
    close: async () => {},
  } as unknown as ServableDriver;
  const options = { driver, homeSync: undefined, mendable: false, rebase: false, remapIds: false };
  const storage = keepToRoot(createLayerStorage({ ...options, logger: silentLogger }), root);
  const snapshotter = await openSnapshotter({ root: records, storage });
  try {
    await snapshotter.cleanup();
    await snapshotter.prepare("k", {});
    await rename(root, moved);
    await snapshotter.remove("k");
    await expect(snapshotter.cleanup()).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(layers.size).toBe(1);
    await rename(moved, root);
    await snapshotter.cleanup();
    expect([...layers]).toEqual([]);
  } finally {
    await snapshotter.close();
    await rm(folder, { recursive: true });
  }
});
