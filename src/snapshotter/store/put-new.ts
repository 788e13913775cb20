import { nowNs, type OfferedWrite } from "../../syscall/index.ts";
import { CleatError } from "../../errors/index.ts";
import { quoteName } from "../names-and-labels.ts";
import type { Records } from "../records/records.ts";
import type { Change, SnapshotRecord } from "../records/record.ts";

/** A record of a snapshot that is to be what it says from now on. */
export type NewRecord = Omit<SnapshotRecord, "createdNs" | "updatedNs">;

/**
 * Writes down what was prepared or committed just now. Resolves when that is durable.
 * @throws NOT_FOUND when the commit of its parent, on which it was begun, was taken back since: by a full disk.
 */
export async function putNew(records: Records, record: NewRecord): Promise<void> {
  await records.change(changeTo(records, record));
}

/**
 * Has `make` make the files of a new snapshot, and writes down that it is there, as `putNew` does where the thread that
 * makes them has not done so in the same go.
 */
export async function makeAndPut(
  records: Records,
  record: NewRecord,
  make: (offered: OfferedWrite | undefined) => Promise<void>,
): Promise<void> {
  if (!(await records.changeAlong(changeTo(records, record), make))) await putNew(records, record);
}

function changeTo(records: Records, record: NewRecord): Change {
  const { name, parentId } = record;
  if (parentId !== undefined && records.byId(parentId)?.kind !== "committed") {
    throw new CleatError("NOT_FOUND", `parent of snapshot ${quoteName(name)} could not be committed: not found`);
  }
  const createdNs = nowNs();
  return { put: [{ ...record, createdNs, updatedNs: createdNs }] };
}
