import { CleatError } from "../../errors/index.ts";
import { quoteName } from "../names-and-labels.ts";
import type { SnapshotRecord } from "../records/record.ts";
import type { Records } from "../records/records.ts";
import type { SnapshotInfo } from "../snapshotter.ts";
import { layerNamedBy } from "./snapshot-purpose.ts";

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
  /** A committed snapshot on that parent that was unpacked to be the layer `named`, in whatever namespace. */
  findLayer(named: string, parentId: number | undefined): SnapshotRecord | undefined;
  isUsable(record: SnapshotRecord): boolean;
  toInfo(record: SnapshotRecord): SnapshotInfo;
}

type Placed = Pick<SnapshotRecord, "id" | "kind" | "parentId">;

/** The place of a snapshot in the storage: its own, or its parent's where it is a view, which adds nothing. */
export function placeOf({ id, kind, parentId }: Placed): number {
  return kind === "view" ? (parentId ?? id) : id;
}

export function hasOwnPlace(record: Placed): boolean {
  return placeOf(record) === record.id;
}

/** Where `findLayer` looks: every layer that an engine unpacks asks whether it is there. */
export function layerIndexOf({ kind, labels, parentId }: SnapshotRecord): string | undefined {
  const named = kind === "committed" ? layerNamedBy(labels) : undefined;
  return named === undefined ? undefined : layerIndex(named, parentId);
}

function layerIndex(named: string, parentId: number | undefined): string {
  return `${parentId ?? ""} ${named}`;
}

/** `missing` are the places whose files are gone; with them go the children, where these need them. */
export function createSnapshotTable(
  records: Records,
  missing: ReadonlySet<number>,
  needsParents: boolean,
): SnapshotTable {
  const parentOf = ({ parentId }: SnapshotRecord) => (parentId === undefined ? undefined : records.byId(parentId));
  const isUsable = (record: SnapshotRecord): boolean => {
    if (missing.size === 0) return true;
    if (!needsParents) return !missing.has(placeOf(record));
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
    findLayer(named, parentId) {
      for (const record of records.indexed(layerIndex(named, parentId))) if (isUsable(record)) return record;
      return undefined;
    },
    toInfo(record) {
      const { name, kind, labels, createdNs, updatedNs } = record;
      return { name, kind, parent: parentOf(record)?.name, labels, createdNs, updatedNs };
    },
  };
}
