import { CleatError } from "../../errors/index.ts";
import { quoteName } from "../names-and-labels.ts";
import type { SnapshotRecord } from "../records/record.ts";
import type { Records } from "../records/records.ts";
import type { SnapshotInfo } from "../snapshotter.ts";
import type { StoredSnapshot } from "../snapshot-storage.ts";

/** Records as the rules read them. What a rule forbids, it says with its code; nothing here waits. */
export interface SnapshotTable {
  /** @throws NOT_FOUND when there is none, or its files are gone. */
  find(name: string): SnapshotRecord;
  /** @throws NOT_FOUND when there is none; one whose files are gone is found. */
  findAny(name: string): SnapshotRecord;
  /** @throws ALREADY_EXISTS. */
  assertFree(name: string): void;
  /**
   * The parent of a new snapshot, or of one that is committed.
   * @throws NOT_FOUND when it is not there; `notCommitted` when it is not committed.
   */
  findParent(name: string, notCommitted: "INVALID_ARGUMENT" | "FAILED_PRECONDITION"): SnapshotRecord;
  isUsable(record: SnapshotRecord): boolean;
  toInfo(record: SnapshotRecord): SnapshotInfo;
  toStored(record: Omit<SnapshotRecord, "createdNs" | "updatedNs" | "usage">): StoredSnapshot;
}

/** `missing` are the ids of those whose files are gone; with them go their children, where these need them. */
export function createSnapshotTable(
  records: Records,
  missing: ReadonlySet<number>,
  needsParents: boolean,
): SnapshotTable {
  const parentOf = ({ parentId }: SnapshotRecord) => (parentId === undefined ? undefined : records.byId(parentId));
  const isUsable = (record: SnapshotRecord): boolean => {
    if (missing.size === 0) return true;
    if (!needsParents) return !missing.has(record.id);
    for (let one: SnapshotRecord | undefined = record; one !== undefined; one = parentOf(one)) {
      if (missing.has(one.id)) return false;
    }
    return true;
  };
  const findAny = (name: string): SnapshotRecord => {
    const record = records.byName(name);
    if (record === undefined) throw new CleatError("NOT_FOUND", `snapshot ${quoteName(name)}: not found`);
    return record;
  };

  return {
    isUsable,
    findAny,
    find(name) {
      const record = findAny(name);
      if (isUsable(record)) return record;
      throw new CleatError("NOT_FOUND", `snapshot ${quoteName(name)}: its files are gone: not found`);
    },
    assertFree(name) {
      if (records.byName(name) !== undefined) {
        throw new CleatError("ALREADY_EXISTS", `snapshot ${quoteName(name)}: already exists`);
      }
    },
    findParent(name, notCommitted) {
      const parent = records.byName(name);
      if (parent === undefined || !isUsable(parent)) {
        throw new CleatError("NOT_FOUND", `parent snapshot ${quoteName(name)}: not found`);
      }
      if (parent.kind === "committed") return parent;
      throw new CleatError(notCommitted, `parent snapshot ${quoteName(name)} is not committed but ${parent.kind}`);
    },
    toInfo(record) {
      const { name, kind, labels, createdNs, updatedNs } = record;
      return { name, kind, parent: parentOf(record)?.name, labels, createdNs, updatedNs };
    },
    toStored({ id, name, kind, parentId, labels }) {
      const parentIds: number[] = [];
      for (let next = parentId; next !== undefined; next = records.byId(next)?.parentId) parentIds.push(next);
      return { id, kind, parentIds, key: name, labels };
    },
  };
}
