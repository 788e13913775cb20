import { nowNs } from "../../syscall/index.ts";
import type { Records } from "../records/records.ts";
import type { SnapshotRecord } from "../records/record.ts";

/** A record of a snapshot that is to be what it says from now on. */
export type NewRecord = Omit<SnapshotRecord, "createdNs" | "updatedNs">;

/** Writes down what was prepared or committed just now. Resolves when that is durable. */
export function putNew(records: Records, record: NewRecord): Promise<void> {
  const createdNs = nowNs();
  return records.change({ put: [{ ...record, createdNs, updatedNs: createdNs }] });
}
