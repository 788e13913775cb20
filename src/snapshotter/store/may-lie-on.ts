import type { Records } from "../records/records.ts";
import type { MayLieOn, SnapshotStorage } from "../snapshot-storage.ts";
import { hasOwnPlace } from "./snapshot-table.ts";

/**
 * The records know on what each snapshot was made, and are whole, or the snapshotter would not have opened. They do not
 * know it of a place that nobody has, nor of one that is laid on a parent when it is committed: that is done before it
 * is written down, and a crash may come between.
 */
export function createMayLieOn(records: Pick<Records, "byId">, { rebase }: Pick<SnapshotStorage, "rebase">): MayLieOn {
  return (other, id) => {
    const record = records.byId(other);
    if (record === undefined || !hasOwnPlace(record)) return true;
    const { kind, parentId } = record;
    return parentId === id || (rebase !== undefined && kind === "active" && parentId === undefined);
  };
}
