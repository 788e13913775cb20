import { CleatError } from "../../errors/index.ts";
import type { ListedPlace, PlaceUse, SnapshotStorage } from "../snapshot-storage.ts";

/** What a disk holds for a storage without files. Outlives the storage, as a disk does. */
export interface Places {
  /** By number, what each lies on. */
  readonly made: Map<number, number | undefined>;
  readonly trash: Set<number>;
  /** All numbers that were ever given to `create`. */
  readonly everMade: number[];
  /** Called before each step, and may throw or wait. */
  beforeStep?(step: "create" | "remove" | "usage" | "rebase" | "sync", id?: number): void | Promise<void>;
}

export const createPlaces = (): Places => ({ made: new Map(), trash: new Set(), everMade: [] });

export interface MemoryStorageAbilities {
  readonly rebase: boolean;
  readonly needsParents: boolean;
}

/** A storage that keeps no files, and whose mounts tell what it was asked. */
export function createMemoryStorage(
  places: Places,
  { rebase, needsParents }: MemoryStorageAbilities = { rebase: true, needsParents: true },
): SnapshotStorage {
  const toMounts = (id: number, { isReadOnly, isUnpacked }: PlaceUse) => {
    if (isUnpacked && rebase) return [{ type: "overlay", source: "overlay", options: [`upperdir=/places/${id}`] }];
    return [{ type: "bind", source: `/places/${id}`, options: ["rbind", isReadOnly ? "ro" : "rw"] }];
  };
  const assertMade = (id: number) => {
    if (!places.made.has(id)) throw new CleatError("NOT_FOUND", `place ${id}: not found`);
  };
  const list = (): ListedPlace[] => Array.from(places.made, ([id, parentId]) => ({ id, parentId }));
  return {
    capabilities: { needsParents },
    list: async () => list(),
    async create({ id, parentId, ...use }) {
      await places.beforeStep?.("create", id);
      if (places.everMade.includes(id)) throw new CleatError("INTERNAL", `number ${id} was given twice`);
      if (needsParents && parentId !== undefined) assertMade(parentId);
      places.everMade.push(id);
      places.made.set(id, parentId);
      return toMounts(id, use);
    },
    async mounts(id, use) {
      assertMade(id);
      return toMounts(id, use);
    },
    async usage(id) {
      await places.beforeStep?.("usage", id);
      assertMade(id);
      return { sizeBytes: 4096 * id, inodes: id };
    },
    ...(rebase && {
      async rebase(id: number, parentId: number | undefined) {
        await places.beforeStep?.("rebase", id);
        assertMade(id);
        places.made.set(id, parentId);
      },
    }),
    async sync() {
      await places.beforeStep?.("sync");
    },
    async remove(id) {
      await places.beforeStep?.("remove", id);
      if (places.made.delete(id)) places.trash.add(id);
    },
    async sweep(isLive) {
      for (const id of places.made.keys()) if (!isLive(id)) places.made.delete(id);
      places.trash.clear();
    },
    close: async () => {},
  };
}
