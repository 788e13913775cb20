import type { CallOptions } from "../protocol/index.ts";
import type { Labels, Mount, SnapshotKind, Usage } from "./snapshotter.ts";

/**
 * Where the files of snapshots are. A snapshotter keeps the records, and asks its storage for folders, mounts and sizes. A
 * storage knows a snapshot by its number, which no other ever gets, and never by its key.
 *
 * Calls for one snapshot come one after another; those for different ones side by side. No snapshot that is a parent is
 * removed.
 */
export interface SnapshotStorage {
  readonly capabilities: StorageCapabilities;

  /** The numbers of all that was created and not removed, also by a process that was killed meanwhile. */
  list(): Promise<readonly number[]>;

  /**
   * Makes the place of an active snapshot or a view, all or nothing, and durable when it resolves: it is there after a power
   * loss if its record is. What a crash leaves of it, `sweep` finds.
   */
  create(snapshot: StoredSnapshot, call?: CallOptions): Promise<void>;

  /**
   * How to mount it; at least one mount, and the same until it is committed. Mounts nothing, and walks nothing. Of a view
   * they are read-only, of an active one never: an engine takes that for a layer that is there already.
   */
  mounts(snapshot: StoredSnapshot): Promise<readonly Mount[]>;

  /**
   * Nobody writes to it from here on, whether or not the call is acknowledged afterwards: it may come again. containerd
   * holds a lock meanwhile, so it must not walk the tree.
   */
  commit?(snapshot: StoredSnapshot): Promise<void>;

  /** What it takes beyond its parents. Walks it; gives up when the signal aborts. */
  usage(snapshot: StoredSnapshot, call?: CallOptions): Promise<Usage>;

  /**
   * Takes it out of the way in constant time, durably; its files are deleted later, by `sweep` at the latest. One that is not
   * there is removed already.
   */
  remove(id: number): Promise<void>;

  /**
   * Deletes what removed snapshots have left, and every place whose number `isLive` does not know: it is asked after the
   * place was found, so that one which is being made meanwhile is known by then.
   */
  sweep(isLive: (id: number) => boolean): Promise<void>;

  /** Gives back what this process holds. Deletes and unmounts nothing. */
  close(): Promise<void>;
}

export interface StorageCapabilities {
  /** A snapshot without a parent may get one when it is committed: whiteouts in it are kept, and mean something then. */
  readonly rebase: boolean;
  /** A snapshot is of no use without the files of its parents; false where each is a whole copy. */
  readonly needsParents: boolean;
}

export interface StoredSnapshot {
  readonly id: number;
  readonly kind: SnapshotKind;
  /** The immediate parent first. */
  readonly parentIds: readonly number[];
  /** The key it was prepared with tells what it is for: "…/extract-…" is unpacked into by an engine. Data, not a path. */
  readonly key: string;
  readonly labels: Labels;
}
