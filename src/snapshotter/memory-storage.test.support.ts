import { CleatError } from "../errors/index.ts";
import type { SnapshotStorage, StorageCapabilities, StoredSnapshot } from "./snapshot-storage.ts";

/** What a disk holds for a storage without files. Outlives the storage, as a disk does. */
export interface Places {
  readonly made: Set<number>;
  readonly trash: Set<number>;
  /** All numbers that were ever given to `create`. */
  readonly everMade: number[];
  /** Called before each step, and may throw or wait. */
  beforeStep?(step: "create" | "remove" | "usage" | "commit", id: number): void | Promise<void>;
}

export const createPlaces = (): Places => ({ made: new Set(), trash: new Set(), everMade: [] });

/** A storage that keeps no files, and whose mounts tell what it was asked. */
export function createMemoryStorage(
  places: Places,
  capabilities: StorageCapabilities = { rebase: true, needsParents: true },
): SnapshotStorage {
  const mountOf = ({ id, kind, parentIds }: StoredSnapshot) => {
    const [parent] = parentIds;
    const source = kind === "view" && parent !== undefined ? parent : id;
    return { type: "bind", source: `/places/${source}`, options: ["rbind", kind === "view" ? "ro" : "rw"] };
  };
  const assertMade = (id: number) => {
    if (!places.made.has(id)) throw new CleatError("NOT_FOUND", `place ${id}: not found`);
  };
  return {
    capabilities,
    list: async () => [...places.made],
    async create({ id, parentIds }) {
      await places.beforeStep?.("create", id);
      if (places.everMade.includes(id)) throw new CleatError("INTERNAL", `number ${id} was given twice`);
      if (capabilities.needsParents) parentIds.forEach(assertMade);
      places.everMade.push(id);
      places.made.add(id);
    },
    async mounts(snapshot) {
      assertMade(snapshot.id);
      return [mountOf(snapshot)];
    },
    async commit({ id }) {
      await places.beforeStep?.("commit", id);
    },
    async usage({ id }) {
      await places.beforeStep?.("usage", id);
      assertMade(id);
      return { sizeBytes: 4096 * id, inodes: id };
    },
    async remove(id) {
      await places.beforeStep?.("remove", id);
      if (places.made.delete(id)) places.trash.add(id);
    },
    async sweep(isLive) {
      for (const id of places.made) if (!isLive(id)) places.made.delete(id);
      places.trash.clear();
    },
    close: async () => {},
  };
}
