import { nowNs } from "../../syscall/index.ts";
import { CleatError } from "../../errors/index.ts";
import { quoteName } from "../names-and-labels.ts";
import type { Records } from "../records/records.ts";
import type { SnapshotRecord } from "../records/record.ts";

/** A record of a snapshot that is to be what it says from now on. */
export type NewRecord = Omit<SnapshotRecord, "createdNs" | "updatedNs">;

/**
 * Writes down what was prepared or committed just now. Resolves when that is durable.
 * @throws NOT_FOUND when the commit of its parent, on which it was begun, was taken back since: by a full disk.
 */
export async function putNew(records: Records, record: NewRecord): Promise<void> {
  const { name, parentId } = record;
  if (parentId !== undefined && records.byId(parentId)?.kind !== "committed") {
    throw new CleatError("NOT_FOUND", `parent of snapshot ${quoteName(name)} could not be committed: not found`);
  }
  const createdNs = nowNs();
  await records.change({ put: [{ ...record, createdNs, updatedNs: createdNs }] });
}
