import type { MountRecord } from "./mount-record.ts";

export interface MountRecords {
  get(name: string): MountRecord | undefined;
  entries(): Iterable<[name: string, record: MountRecord]>;
  /** As `Table.put` of a store: at once in memory, and resolves when it is on the disk. */
  put(name: string, record: MountRecord): Promise<void>;
  delete(name: string): Promise<void>;
}

/** What is on the disk, or on its way there, of volumes' holders. */
export interface HolderRecords {
  /** Of this boot: of another one nothing is held nor mounted, whether or not that could be written. */
  recordOf(name: string): MountRecord | undefined;
  putHolders(name: string, record: MountRecord): Promise<void>;
  /** What is not on the disk yet. Podman has one id for all. */
  pendingOf(name: string): Promise<void> | undefined;
}

export function createHolderRecords(records: MountRecords, bootId: string): HolderRecords {
  const pending = new Map<string, Promise<void>>();
  return {
    recordOf(name) {
      const record = records.get(name);
      return record === undefined || record.boot === bootId ? record : { holders: [], boot: bootId };
    },
    putHolders(name, record) {
      const written = records.put(name, record);
      const forget = () => {
        if (pending.get(name) === written) pending.delete(name);
      };
      pending.set(name, written);
      written.then(forget, forget);
      return written;
    },
    pendingOf: (name) => pending.get(name),
  };
}
