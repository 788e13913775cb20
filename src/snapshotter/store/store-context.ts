import { type SyncBehind, syncBehind } from "../../graphdriver/kit.ts";
import type { Logger } from "../../transport/index.ts";
import { createKeyLocks, type KeyLocks } from "../key-locks.ts";
import type { Records } from "../records/records.ts";
import type { SnapshotRecord } from "../records/record.ts";
import type { MayLieOn, SnapshotStorage } from "../snapshot-storage.ts";
import { createMayLieOn } from "./may-lie-on.ts";
import { type LostWrites, trackLostWrites } from "./lost-writes.ts";
import { type Measuring, measureBehind } from "./measure-behind.ts";
import { type RemoveBehind, removeBehind } from "./remove-behind.ts";
import { createSnapshotTable, type SnapshotTable } from "./snapshot-table.ts";

/** What the methods of one snapshotter share. */
export interface StoreContext {
  readonly records: Records;
  readonly table: SnapshotTable;
  readonly storage: SnapshotStorage;
  readonly logger: Logger;
  readonly locks: KeyLocks;
  readonly measuring: Measuring;
  readonly lostWrites: LostWrites;
  readonly syncing: SyncBehind;
  readonly removing: RemoveBehind;
  /** Places whose files are gone. */
  readonly missing: Set<number>;
  /** Places that have no record yet. */
  readonly making: Set<number>;
  /** Keeps a snapshot from being removed while another is laid on it. */
  withParent<T>(parent: SnapshotRecord | undefined, work: () => Promise<T>): Promise<T>;
  isAwaited(id: number): boolean;
  /** What the records tell of places whose files cannot be read now. */
  readonly mayLieOn: MayLieOn;
  /** Takes a place away whose record is gone; what fails is left for a sweep. */
  discard(record: Pick<SnapshotRecord, "id" | "name">): Promise<void>;
}

export function createStoreContext(
  records: Records,
  missing: Set<number>,
  storage: SnapshotStorage,
  logger: Logger,
): StoreContext {
  const table = createSnapshotTable(records, missing, storage.capabilities.needsParents);
  /** How many each parent waits for. */
  const awaited = new Map<number, number>();
  const making = new Set<number>();
  const mayLieOn = createMayLieOn(records, storage);
  const lostWrites = trackLostWrites(records, making, storage.sync?.bind(storage), logger);
  return {
    records,
    table,
    storage,
    logger,
    missing,
    locks: createKeyLocks(),
    measuring: measureBehind(records, storage, logger),
    lostWrites,
    syncing: syncBehind(lostWrites.sync, logger),
    removing: removeBehind((id) => storage.remove(id, mayLieOn), logger),
    making,
    mayLieOn,

    async withParent(parent, work) {
      if (parent === undefined) return work();
      awaited.set(parent.id, (awaited.get(parent.id) ?? 0) + 1);
      try {
        return await work();
      } finally {
        const left = (awaited.get(parent.id) as number) - 1;
        if (left === 0) awaited.delete(parent.id);
        else awaited.set(parent.id, left);
      }
    },
    isAwaited: (id) => awaited.has(id),

    async discard({ id, name }) {
      try {
        await storage.remove(id, mayLieOn);
      } catch (error) {
        logger.warn({ err: error, id, snapshot: name }, "files of a snapshot are left for the next clean-up");
      }
    },
  };
}
