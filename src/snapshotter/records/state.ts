import { CleatError } from "../../errors/index.ts";
import type { Change, SnapshotRecord } from "./record.ts";

/** By what else than id and name records are found: one text for each, or none. */
export type IndexOf = (record: SnapshotRecord) => string | undefined;

/** All records, by id and by name, with the number of children of each. */
export interface RecordState {
  byName(name: string): SnapshotRecord | undefined;
  byId(id: number): SnapshotRecord | undefined;
  childCount(id: number): number;
  /** Those of which `indexOf` says so. */
  indexed(text: string): Iterable<SnapshotRecord>;
  all(): IterableIterator<SnapshotRecord>;
  readonly size: number;
  /** Of all names and labels together, in characters. */
  readonly textLength: number;
  readonly nextId: number;
  /**
   * Makes a change and returns one that takes it back, as long as nothing else has changed since.
   * @throws DATA_LOSS for one that cannot be: a name of two snapshots, a parent that is not there. Nothing is changed
   * then.
   */
  apply(change: Change): () => void;
}

export function createRecordState(indexOf: IndexOf = () => undefined): RecordState {
  const ids = new Map<number, SnapshotRecord>();
  const names = new Map<string, SnapshotRecord>();
  const children = new Map<number, number>();
  const index = new Map<string, Set<SnapshotRecord>>();
  let nextId = 1;
  let textLength = 0;

  const countChild = (parentId: number | undefined, by: 1 | -1) => {
    if (parentId === undefined) return;
    const count = (children.get(parentId) ?? 0) + by;
    if (count === 0) children.delete(parentId);
    else children.set(parentId, count);
  };
  const enter = (record: SnapshotRecord) => {
    const text = indexOf(record);
    if (text !== undefined) index.set(text, (index.get(text) ?? new Set<SnapshotRecord>()).add(record));
  };
  const leave = (record: SnapshotRecord) => {
    const text = indexOf(record);
    const others = text === undefined ? undefined : index.get(text);
    others?.delete(record);
    if (others?.size === 0) index.delete(text as string);
  };
  const replace = (id: number, record: SnapshotRecord | undefined): SnapshotRecord | undefined => {
    const before = ids.get(id);
    if (before !== undefined) {
      ids.delete(id);
      names.delete(before.name);
      countChild(before.parentId, -1);
      leave(before);
      textLength -= textLengthOf(before);
    }
    if (record !== undefined) {
      ids.set(id, record);
      names.set(record.name, record);
      countChild(record.parentId, 1);
      enter(record);
      textLength += textLengthOf(record);
    }
    return before;
  };
  const assertPossible = ({ put = [], remove = [] }: Change) => {
    const leaving = new Set(remove);
    const coming = new Map<string, number>();
    const comingIds = new Set<number>();
    for (const { id, name, parentId } of put) {
      const there = names.get(name)?.id;
      const other = coming.get(name) ?? (there === undefined || leaving.has(there) ? undefined : there);
      if (other !== undefined && other !== id) throw impossible(name, "is there twice");
      const hasParent =
        parentId === undefined || comingIds.has(parentId) || (ids.has(parentId) && !leaving.has(parentId));
      if (!hasParent) throw impossible(name, "has a parent that is not there");
      coming.set(name, id);
      comingIds.add(id);
    }
    for (const id of remove) {
      if ((children.get(id) ?? 0) > 0) throw impossible(ids.get(id)?.name ?? String(id), "is removed and has children");
    }
  };

  return {
    byName: (name) => names.get(name),
    byId: (id) => ids.get(id),
    childCount: (id) => children.get(id) ?? 0,
    indexed: (text) => index.get(text) ?? [],
    all: () => ids.values(),
    get size() {
      return ids.size;
    },
    get textLength() {
      return textLength;
    },
    get nextId() {
      return nextId;
    },
    apply(change) {
      assertPossible(change);
      const nextBefore = nextId;
      const before: [number, SnapshotRecord | undefined][] = [];
      for (const id of change.remove ?? []) before.push([id, replace(id, undefined)]);
      for (const record of change.put ?? []) before.push([record.id, replace(record.id, record)]);
      nextId = change.nextId ?? nextId;
      return () => {
        for (const [id, record] of before.toReversed()) replace(id, record);
        nextId = nextBefore;
      };
    },
  };
}

/** Of its name and labels. */
export function textLengthOf({ name, labels }: SnapshotRecord): number {
  let length = name.length;
  for (const key in labels) length += key.length + (labels[key] as string).length;
  return length;
}

function impossible(name: string, problem: string): CleatError {
  return new CleatError("DATA_LOSS", `records of snapshots contradict one another: "${name.slice(0, 200)}" ${problem}`);
}
