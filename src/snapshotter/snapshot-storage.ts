import type { CallOptions } from "../protocol/index.ts";
import type { OfferedWrite } from "../syscall/index.ts";
import type { Mount, Usage } from "./snapshotter.ts";

/**
 * Where the files of snapshots are. A snapshotter keeps the records, and asks its storage for **places**: a place holds
 * what one snapshot adds to its parent, and is known by the snapshot's number, which no other ever gets, and never by
 * its key. A view of a parent has none: it is the parent's, read only.
 *
 * Calls for one place come one after another; those for different ones side by side. No place that is a parent is
 * removed.
 */
export interface SnapshotStorage {
  readonly capabilities: StorageCapabilities;

  /** All that was created and not removed, also by a process that was killed meanwhile. */
  list(): Promise<readonly ListedPlace[]>;

  /**
   * Makes a place, all or nothing, and says how to mount it. It is there after a power loss if its record is, which is
   * written and flushed next; what may be missing of it then, `mend` brings back. What a crash leaves of one without a
   * record, `sweep` finds.
   */
  create(place: NewPlace, call?: CallOptions): Promise<readonly Mount[]>;

  /**
   * Puts places right of which a power loss has left a part, as their records say on what each was made; called once,
   * before all else, with parents before children. Returns those that were not whole.
   */
  mend?(places: readonly ListedPlace[]): Promise<readonly number[]>;

  /**
   * How to mount it; at least one mount, and the same until it is committed. Mounts nothing, and walks nothing.
   * `readOnly` is for a view, and anything else must not be `ro`: an engine takes that for a layer that is there
   * already.
   */
  mounts(id: number, use: PlaceUse): Promise<readonly Mount[]>;

  /** What it takes beyond its parents. Walks it; gives up when the signal aborts. */
  usage(id: number, call?: CallOptions): Promise<Usage>;

  /**
   * Lays a place that was made without a parent on one, or takes that back; durable when it resolves. Whiteouts in it
   * are kept, and mean something from then on. containerd holds a lock meanwhile, so it must not walk the tree. Where
   * there is none, no snapshot gets a parent when it is committed.
   */
  rebase?(id: number, parentId: number | undefined): Promise<void>;

  /**
   * Makes a place show on its parent what was unpacked into it, where an engine left something that its mounts do not
   * heed: overlay's mark of an opaque root. Called before `sync`, when a snapshot is committed on the parent that it
   * has; `rebase` does the same. containerd holds a lock meanwhile, so it looks at the root alone.
   */
  settle?(id: number, parentId: number): Promise<void>;

  /**
   * Makes durable all that was written to places until now. Called before a commit is acknowledged, and once a second
   * or more often while an engine unpacks, so that there is little left to write then. When it rejects, whatever was
   * written before may be lost, and no snapshot that is there then is ever committed; so each failure is told once at
   * least, and not again. One that only cannot tell is a `SyncNotToldError`. Where there is none, nothing is promised
   * of it.
   */
  sync?(): Promise<void>;

  /**
   * Deletes it with its files; no engine waits for that. Of one that a crash has cut off `sweep` deletes the rest. One
   * that is not there is removed already. While the files of another cannot be read, `mayLieOn` tells whether that may
   * lie on it; without it, any may.
   */
  remove(id: number, mayLieOn?: MayLieOn): Promise<void>;

  /**
   * Deletes what removed snapshots have left, and, the first time, every place whose number `isLive` does not know: it
   * is asked after the place was found, so that one which is being made meanwhile is known by then. Waits for what
   * `remove` deletes. Engines wait for it, so that it looks at all places only that once.
   */
  sweep(isLive: (id: number) => boolean, mayLieOn?: MayLieOn): Promise<void>;

  /** Gives back what this process holds. Unmounts nothing, and deletes no more: a `remove` that runs breaks off. */
  close(): Promise<void>;
}

/**
 * Whether a place that is to stay may lie on `id`, as the records of snapshots tell; for places whose files cannot be
 * read now. It may where they do not tell.
 */
export type MayLieOn = (other: number, id: number) => boolean;

export interface StorageCapabilities {
  /** A place is of no use without those of its parents; false where each is a whole copy. */
  readonly needsParents: boolean;
}

export interface ListedPlace {
  readonly id: number;
  /** `undefined` for none, and where nothing tells. Only a storage that can `rebase` has to know. */
  readonly parentId: number | undefined;
  /** What contradicts itself there: its files may be another's. */
  readonly misfit?: string | undefined;
  /** Why it cannot be looked at now; `parentId` may tell nothing then. */
  readonly unreadable?: string | undefined;
}

export interface NewPlace extends PlaceUse {
  readonly id: number;
  readonly parentId: number | undefined;
  /** More than that it should not take, where the storage can see to it. */
  readonly maxSizeBytes?: number | undefined;
  /** Its record, for the thread that has made the place to write, where no copy of anything could have lost a write. */
  readonly record?: OfferedWrite | undefined;
}

/** What a place is for. */
export interface PlaceUse {
  /** An engine unpacks a layer into it, and may commit it on a parent that it does not have now. */
  readonly isUnpacked: boolean;
  readonly isReadOnly: boolean;
  /** Whose ids its files are to have in a mount, where the storage can do that. */
  readonly remap?: IdRemap | undefined;
}

/** Maps of ids, in containerd's spelling: "0:100000:65536,…", container's first, host's first, how many. */
export interface IdRemap {
  readonly uids: string;
  readonly gids: string;
}
