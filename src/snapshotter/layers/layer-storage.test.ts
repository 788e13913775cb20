import { describe, expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import type { CreateOptions } from "../../graphdriver/index.ts";
import { silentLogger } from "../../transport/index.ts";
import type { NewPlace } from "../snapshot-storage.ts";
import { createLayerStorage } from "./layer-storage.ts";
import type { ServableDriver } from "./servable-driver.ts";

const remap = { uids: "0:100000:65536", gids: "0:200000:65536" };
const place: NewPlace = { id: 7, parentId: 3, isUnpacked: false, isReadOnly: false };

/** Layers without files, as binds, and notes of what was asked and said. */
function createNotes({ enforcesSize = false, remapIds = false, leastBytes = 0 } = {}) {
  const made: [id: string, options: CreateOptions | undefined][] = [];
  const said: string[] = [];
  const driver = {
    name: "noting",
    capabilities: { enforcesSize, mounts: false },
    async createReadWrite(id: string, options?: CreateOptions) {
      const { size } = options?.storageOptions ?? {};
      if (Number(size) < leastBytes) throw new CleatError("INVALID_ARGUMENT", `a size of ${size} bytes leaves no room`);
      made.push([id, options]);
    },
    mounts: async (id: string) => [{ type: "bind", source: `/layers/${id}`, options: ["rw", "rbind"] }],
  } as unknown as ServableDriver;
  const say = (_: object, message: string) => void said.push(message);
  const logger = { ...silentLogger, info: say, warn: say };
  const options = { driver, homeSync: undefined, mendable: false, rebase: false, remapIds, logger };
  return { storage: createLayerStorage(options), made, said };
}

describe("mapped ids", () => {
  it("are told before the driver's own options, of a new place as of one that is there", async () => {
    const { storage } = createNotes({ remapIds: true });
    const options = ["uidmap=0:100000:65536", "gidmap=0:200000:65536", "rw", "rbind"];
    const mounts = [{ type: "bind", source: "/layers/7", options }];
    expect(await storage.create({ ...place, remap })).toEqual(mounts);
    expect(await storage.mounts(7, { ...place, remap })).toEqual(mounts);
  });

  it.each([
    ["nobody was told to map", false, remap],
    ["the snapshot asks for none", true, undefined],
  ])("are not told where %s", async (_, remapIds, asked) => {
    const { storage } = createNotes({ remapIds });
    const mounts = [{ type: "bind", source: "/layers/7", options: ["rw", "rbind"] }];
    expect(await storage.create({ ...place, remap: asked })).toEqual(mounts);
    expect(await storage.mounts(7, { ...place, remap: asked })).toEqual(mounts);
  });

  it.each([true, false])("that are none are refused, read-only: %s", async (isReadOnly) => {
    const { storage } = createNotes({ remapIds: true });
    const use = { ...place, isReadOnly, remap: { ...remap, gids: "" } };
    await expect(storage.create(use)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(storage.mounts(7, use)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("a size", () => {
  it("is asked of a driver that enforces it", async () => {
    const { storage, made, said } = createNotes({ enforcesSize: true });
    await storage.create({ ...place, maxSizeBytes: 1_048_576 });
    await storage.create({ ...place, id: 8 });
    expect(made).toMatchObject([
      ["7", { parent: "3", storageOptions: { size: "1048576" } }],
      ["8", { parent: "3", storageOptions: undefined }],
    ]);
    expect(said).toEqual([]);
  });

  it("that leaves no room is left out, and said", async () => {
    const { storage, made, said } = createNotes({ enforcesSize: true, leastBytes: 4096 });
    await storage.create({ ...place, maxSizeBytes: 1 });
    expect(made).toMatchObject([["7", { parent: "3", storageOptions: undefined }]]);
    expect(said).toEqual(["a snapshot is made without the size that it asks for"]);
  });

  it("is not asked of one that does not, which is said once", async () => {
    const { storage, made, said } = createNotes();
    await storage.create({ ...place, id: 6 });
    expect(said).toEqual([]);
    for (const id of [7, 8]) await storage.create({ ...place, id, maxSizeBytes: 1_048_576 });
    expect(made.map(([, options]) => options?.storageOptions)).toEqual([undefined, undefined, undefined]);
    expect(said).toEqual(["snapshots ask for a size, which is not enforced here"]);
  });
});

describe("a sweep", () => {
  /** A driver of these layers that notes what it does, and cannot remove what is in `stuck`. */
  function createSweptStorage(layers: readonly string[]) {
    const there = new Set(layers);
    const stuck = new Set<string>();
    const done: string[] = [];
    const driver = {
      name: "swept",
      capabilities: { enforcesSize: false, mounts: false },
      async *list() {
        done.push("list");
        for (const id of there) yield { id };
      },
      async remove(id: string) {
        if (stuck.has(id)) throw new CleatError("RESOURCE_EXHAUSTED", `layer ${id} is stuck`);
        done.push(`remove ${id}`);
        there.delete(id);
      },
    } as unknown as ServableDriver;
    const options = { driver, homeSync: undefined, mendable: false, rebase: false, remapIds: false };
    return { storage: createLayerStorage({ ...options, logger: silentLogger }), stuck, done };
  }

  it("takes away what nobody knows the first time, and looks at no layer after that", async () => {
    const { storage, done } = createSweptStorage(["1", "2", "3"]);
    await storage.list();
    await storage.sweep((id) => id !== 2);
    expect(done).toEqual(["list", "remove 2"]);
    await storage.sweep(() => false);
    expect(done).toEqual(["list", "remove 2"]);
  });

  it("looks again where the first one failed", async () => {
    const { storage, done } = createSweptStorage(["1"]);
    const unknown = () => {
      throw new Error("records are broken");
    };
    await expect(storage.sweep(unknown)).rejects.toThrow("broken");
    await storage.sweep(() => false);
    expect(done).toEqual(["list", "list", "remove 1"]);
  });

  it("tries what could not be removed until it is, and says so as long as it is there", async () => {
    const { storage, stuck, done } = createSweptStorage(["1", "2", "3", "4"]);
    stuck.add("2").add("3");
    await storage.sweep((id) => id !== 2);
    await expect(storage.remove(3)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    await expect(storage.sweep((id) => id === 1 || id === 4)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    stuck.clear();
    await storage.sweep((id) => id === 1 || id === 4);
    await storage.sweep((id) => id === 1 || id === 4);
    expect(done).toEqual(["list", "remove 3", "remove 2"]);
  });
});
