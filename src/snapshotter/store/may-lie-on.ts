import type { Records } from "../records/records.ts";
import type { MayLieOn, SnapshotStorage } from "../snapshot-storage.ts";
import { hasOwnPlace } from "./snapshot-table.ts";

/**
 * The records know on what each snapshot was made, and are whole, or the snapshotter would not have opened. They do not
 * know it of one that is laid on a parent when it is committed: that is done before it is written down, and a crash may
 * come between. A place that nobody has is to be deleted itself, and needs nothing any more: else two of that kind,
 * neither of which can be read, would keep each other, and all others with them. One that is being made has no record
 * either, but its parent has one, and stays for that.
 */
export function createMayLieOn(records: Pick<Records, "byId">, { rebase }: Pick<SnapshotStorage, "rebase">): MayLieOn {
  return (other, id) => {
    const record = records.byId(other);
    if (record === undefined) return false;
    if (!hasOwnPlace(record)) return true;
    const { kind, parentId } = record;
    return parentId === id || (rebase !== undefined && kind === "active" && parentId === undefined);
  };
}
