import type { Labels, SnapshotKind, Usage } from "../snapshotter.ts";

/** What is known of a snapshot. Never changed: another takes its place. */
export interface SnapshotRecord {
  /** Its place in the storage: a number from a sequence that never gives one twice. Stays when it is committed. */
  readonly id: number;
  /** Its key, or its name once it is committed. */
  readonly name: string;
  readonly kind: SnapshotKind;
  readonly parentId: number | undefined;
  readonly labels: Labels;
  readonly createdNs: bigint;
  readonly updatedNs: bigint;
  /** Of a committed one, once it was measured. */
  readonly usage: Usage | undefined;
  /** Something that was written to it may be lost; it is never committed. */
  readonly isSuspect?: true | undefined;
}

/** What happens as one: all of it, or nothing. */
export interface Change {
  /** New records, and those that take the place of others of the same id. */
  readonly put?: readonly SnapshotRecord[];
  readonly remove?: readonly number[];
  /** Ids below this one may have been given. */
  readonly nextId?: number;
}
