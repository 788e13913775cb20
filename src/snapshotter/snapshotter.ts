/**
 * The snapshotter contract. This file is the manual.
 *
 * A snapshotter keeps **snapshots**: file trees, each on top of at most one **parent**. It mounts nothing. What it
 * hands out are **mounts**, which the client, an engine, performs where it likes; after that, files are written and
 * read by the kernel alone, whether the snapshotter runs or not.
 *
 * ## Life of an image layer
 *
 *     const mounts = await snapshotter.prepare("extract-1", {})         an empty tree to write to
 *     …the client mounts it, unpacks a layer into it, unmounts it…
 *     await snapshotter.commit("sha256:base", "extract-1", {})          nobody writes to it from here on
 *     await snapshotter.prepare("extract-2", { parent: "sha256:base" })
 *     …
 *     await snapshotter.commit("sha256:app", "extract-2", {})
 *
 * ## Life of a container
 *
 *     const mounts = await snapshotter.prepare("c1", { parent: "sha256:app" })
 *     await snapshotter.mounts("c1")                                    the same again, after a restart of either side
 *     await snapshotter.remove("c1")
 *
 * ## Words
 *
 * - **active**: may be written to; becomes committed by `commit`. **view**: may be read only, and never be committed.
 *   **committed**: nobody writes to it, has no mounts, and may be the parent of others.
 * - **key** and **name**: what a snapshot is called while it is active or a view, and once it is committed. Both are
 *   one name space and **data**: any text without NUL of 1 to 32,768 bytes, with spaces, slashes and whatever else;
 *   never a path. The engine's containerd makes them of its own: "default/3/extract-42-abc sha256:…".
 * - **labels**: text by text, at most 4,096 bytes for one with its value, and 1 MiB for all of a snapshot. A commit
 *   does not inherit them. A label of an empty value is none.
 *
 * ## Promises
 *
 * - What was acknowledged is there after a crash of the process or of the machine, and is whole; of what was not,
 *   nothing is, or all of it.
 * - `commit` and `update` are called by containerd while it holds the lock of its database: they walk nothing and call
 *   nobody. `update` takes the time of one `fsync`; so does `commit`, and of the files that the kernel has not written
 *   yet, most of which are written while an engine unpacks. `stat` and `mounts` read memory.
 * - Calls on different snapshots run side by side; a `list` that is read slowly holds nobody up.
 * - Nothing is deleted when a snapshotter closes.
 *
 * ## Errors
 *
 * Every method may reject with NOT_FOUND (no such snapshot; one whose files are gone is no such snapshot either),
 * INVALID_ARGUMENT (a key, name or label that is none) and RESOURCE_EXHAUSTED (disk full, or more than 128 Mi
 * characters of names and labels in all snapshots together); further codes stand at the method. Messages name the
 * snapshot. `call.signal` aborts when nobody waits for the answer any more: CANCELLED. `call.timeoutMs` is how long
 * somebody does: DEADLINE_EXCEEDED. Of what was begun by then there is nothing, or all.
 *
 * Source of the semantics: containerd v1.6.20 `snapshots/snapshotter.go`, `snapshots/storage/bolt.go`; v2.2.0 for the
 * parent that a commit gives.
 */
import type { CallOptions } from "../protocol/index.ts";

export interface Snapshotter {
  /**
   * Makes an active snapshot, and says how to mount it.
   * @throws ALREADY_EXISTS when the key is taken, by whatever kind of snapshot.
   * @throws NOT_FOUND when the parent is not there, INVALID_ARGUMENT when it is not committed.
   * @throws OUT_OF_RANGE when one mount does not take so many layers: on overlay some 450, by the length of their
   * numbers.
   */
  prepare(key: string, options: PrepareOptions, call?: CallOptions): Promise<readonly Mount[]>;

  /** Makes a view of `parent`, or of nothing; the mounts are read-only. Otherwise as `prepare`. */
  view(key: string, options: PrepareOptions, call?: CallOptions): Promise<readonly Mount[]>;

  /**
   * How to mount an active snapshot or a view: what `prepare` or `view` said.
   * @throws FAILED_PRECONDITION for a committed one.
   */
  mounts(key: string, call?: CallOptions): Promise<readonly Mount[]>;

  /**
   * Makes the active snapshot `key` a committed one, named `name`, with these labels and no others. The key is free
   * then.
   * @throws ALREADY_EXISTS when the name is taken.
   * @throws FAILED_PRECONDITION when the snapshot is not active, or the new parent is not committed.
   * @throws INVALID_ARGUMENT when it has another parent already.
   * @throws UNIMPLEMENTED for a new parent where the snapshotter cannot give one (`rebase`).
   */
  commit(name: string, key: string, options: CommitOptions, call?: CallOptions): Promise<void>;

  /**
   * Removes a snapshot of any kind. Takes constant time: files are deleted behind, in `cleanup` at the latest. The key
   * is free when it resolves.
   * @throws FAILED_PRECONDITION when it is the parent of another.
   */
  remove(key: string, call?: CallOptions): Promise<void>;

  stat(key: string, call?: CallOptions): Promise<SnapshotInfo>;

  /**
   * Changes labels, and sets `updatedNs`. @throws INVALID_ARGUMENT for a path of anything else: nothing else may
   * change.
   */
  update(key: string, change: UpdateOptions, call?: CallOptions): Promise<SnapshotInfo>;

  /**
   * Every snapshot that one of `filters` matches, or all, as they were when the list began, in no particular order.
   * `filters/parse-filter.ts` says what a filter is. One whose files are gone comes with all, so that it may be
   * removed, and matches no filter.
   * @throws INVALID_ARGUMENT when a filter is malformed.
   */
  list(filters?: readonly string[], call?: CallOptions): AsyncIterable<SnapshotInfo>;

  /**
   * What the snapshot takes beyond its parents. Of a committed one it is measured once; of another it is measured now,
   * which takes a walk of it.
   */
  usage(key: string, call?: CallOptions): Promise<Usage>;

  /**
   * Deletes what removed snapshots have left, and what belongs to none. The room is free when it resolves, and waited
   * for: containerd's collector calls it without its locks, so that nobody else waits, and ends with it for those who
   * asked for a deletion that is done, as Kubernetes does before it looks again whether there is room. Source:
   * containerd v1.7.24 `metadata/snapshot.go` `garbageCollect`, `images/image.go` `SynchronousDelete`.
   */
  cleanup(call?: CallOptions): Promise<void>;

  /** Gives back what this process holds. Snapshots and mounts stay. May be called twice. */
  close(): Promise<void>;
}

export const snapshotKinds = ["view", "active", "committed"] as const;
export type SnapshotKind = (typeof snapshotKinds)[number];

export type Labels = Readonly<Record<string, string>>;

export interface PrepareOptions {
  /** The name of a committed snapshot; none for an empty tree. */
  readonly parent?: string | undefined;
  readonly labels?: Labels | undefined;
}

export interface CommitOptions {
  readonly labels?: Labels | undefined;
  /** A parent for a snapshot that was prepared without one. Since containerd v2.2.0. */
  readonly parent?: string | undefined;
}

export interface UpdateOptions {
  readonly labels: Labels;
  /**
   * What to change: "labels" for all of them, "labels.KEY" for one, whose key is everything behind the first dot; a
   * label that is missing in `labels`, or empty, is taken away. Without paths all labels are replaced.
   */
  readonly paths?: readonly string[] | undefined;
}

export interface SnapshotInfo {
  /** The key, or the name of a committed one. */
  readonly name: string;
  readonly kind: SnapshotKind;
  readonly parent: string | undefined;
  readonly labels: Labels;
  /** Nanoseconds since 1970: when it was prepared or committed, and when it was last updated. */
  readonly createdNs: bigint;
  readonly updatedNs: bigint;
}

export interface Usage {
  /** Bytes on disk; a file of several names counts once. */
  readonly sizeBytes: number;
  readonly inodes: number;
}

/**
 * What mount(2) is to be called with, as containerd's mount code reads it. Source: containerd v1.6.20 `mount/mount.go`.
 */
export interface Mount {
  /** "bind", "overlay", "btrfs" */
  readonly type: string;
  readonly source: string;
  /** A folder below the mount point to mount at instead. Since containerd v1.7. */
  readonly target?: string | undefined;
  /** Options of fstab: "rbind", "ro", "lowerdir=/a:/b". */
  readonly options: readonly string[];
}
