/**
 * The graph driver contract. This file is the manual.
 *
 * A graph driver keeps **layers**: numbered nowhere, named by an **id** that the engine chooses, each on top of at most
 * one **parent**. What a layer adds, changes and deletes relative to its parent is its **diff**; what a process sees in
 * it is the diff on top of everything below. A driver keeps diffs as it likes (a folder, a copy, a snapshot); through
 * this interface they travel as tar archives in which a deletion is a **whiteout**: an empty file `.wh.NAME` hides
 * NAME, an empty file `.wh..wh..opq` makes its folder **opaque**, which hides everything below in that folder. The
 * format has no other way to write a name that begins so: what a container calls `.wh.NAME` is in its diff as it is,
 * and deletes NAME wherever that is applied, as with Docker's and containerd's archives.
 *
 * ## Life of an image layer
 *
 *     create("base")                          an empty layer
 *     applyDiff("base", undefined, tar)       filled once; from here on nobody writes to it
 *     create("app", { parent: "base" })
 *     applyDiff("app", "base", tar)
 *
 * A layer is created empty (for a driver that copies: equal to its parent) and filled by one `applyDiff`. That call is
 * all or nothing: when it rejects, the layer is as `create` left it.
 *
 * ## Life of a container
 *
 *     createReadWrite("c1", { parent: "app" })
 *     const path = await get("c1")            mounted; processes read and write below `path`
 *     await get("c1")                         the same path; the mount is counted
 *     await put("c1"); await put("c1")        the last one unmounts
 *     await changes("c1", "app")              what was written, without opening a file's content
 *     await diff("c1", "app")                 the same as a tar stream, ready to become an image layer
 *     await remove("c1")
 *
 * ## Words
 *
 * - **home**: the folder that holds everything a driver keeps. Nothing outside is written.
 * - **mount count**: how many `get`s wait for their `put`. A mount found when a driver opens (its process was killed,
 *   the engine was killed, the host's engine restarts) is *adopted*: it counts as held once, until the engine puts it.
 * - **id**: matches `layerIdPattern`; it is checked before anything else and never joined into a path unchecked.
 *
 * ## Errors
 *
 * Every method may reject with INVALID_ARGUMENT (an id that is not one), NOT_FOUND (no such layer, no such parent),
 * ALREADY_EXISTS, FAILED_PRECONDITION, RESOURCE_EXHAUSTED (disk full) and PERMISSION_DENIED; further codes stand at the
 * method. Messages name the layer. Every error is a `CleatError`, also those that break off a stream. Calls on
 * different layers run side by side; calls that change the same layer wait for one another. While a diff is being
 * applied to a layer, or undone, who looks at it or lays another on it sees it as it was before or as it is after, or
 * waits. A `diff`, `changes` or `diffSize` under which its layer or parent is changed or removed ends in ABORTED, and
 * never in half an answer.
 *
 * ## Giving up
 *
 *     await driver.applyDiff("app", "base", tar, { signal, timeoutMs: 60_000 })
 *
 * Every call takes a `signal` that gives it up, which rejects it with CANCELLED, and a time after which it is given up,
 * which rejects it with DEADLINE_EXCEEDED; either within 100 ms, while it waits, walks, copies or unpacks. What it had
 * begun is undone: an `applyDiff` leaves the layer as `create` left it, a `create` none; where undoing takes longer
 * (vfs copies the parent anew), it goes on, and other calls for the layer wait for it. A call that was as good as done
 * may have taken effect all the same: ask `exists`. A layer that is out of the store when its `remove` is given up is
 * gone, and its files are deleted without anybody waiting. A stream that `diff` answered is destroyed with that error;
 * of `diff`, the time is that until its stream is closed. Over Docker's protocol, the time of `diff` and `applyDiff` is
 * the longest silence.
 *
 * Source of the semantics: moby v20.10.24 `daemon/graphdriver/driver.go`; where this contract is stricter (a second
 * `create`, `diff` of an unknown layer) that is said at the method.
 */
import type { Readable } from "node:stream";
import type { CallOptions } from "../protocol/index.ts";
import type { OfferedWrite } from "../syscall/index.ts";
import type { LayerRole } from "./survey.ts";

export interface GraphDriver extends AsyncDisposable {
  /** The driver's name in the field: "overlay2", "btrfs", "vfs". */
  readonly name: string;
  readonly capabilities: DriverCapabilities;

  /**
   * Makes an empty layer for an image.
   * @throws ALREADY_EXISTS when the id is taken (Docker's own drivers accept that and mix the two).
   * @throws NOT_FOUND when `parent` is not a layer.
   * @throws UNIMPLEMENTED when a storage option cannot be enforced, INVALID_ARGUMENT when it is unknown.
   */
  create(id: string, options?: CreateOptions, call?: CallOptions): Promise<void>;

  /** Makes the writable layer of a container; otherwise as `create`. */
  createReadWrite(id: string, options?: CreateOptions, call?: CallOptions): Promise<void>;

  /**
   * Removes a layer, unmounting it if need be. A layer that does not exist is removed already. An `applyDiff` of it
   * that runs ends before, with ABORTED where its source is silent. What lies on which is read once, by the first call
   * that asks for it; from then on the cost does not grow with the number of layers.
   * @throws FAILED_PRECONDITION when another layer lies on it, and the driver `protectsParents`; the message names one.
   */
  remove(id: string, options?: RemoveOptions, call?: CallOptions): Promise<void>;

  /** Makes the layer visible as a folder and returns its absolute path. Counted: each `get` needs a `put`. */
  get(id: string, options?: GetOptions, call?: CallOptions): Promise<string>;

  /** Gives back one `get`; the last one unmounts. A `put` without `get` succeeds. */
  put(id: string, call?: CallOptions): Promise<void>;

  exists(id: string, call?: CallOptions): Promise<boolean>;

  /** What `docker info` prints about the driver, in order. */
  status(call?: CallOptions): Promise<readonly StatusRow[]>;

  /** What `docker inspect` prints under `GraphDriver.Data`; keys are the field's (`UpperDir`, …). */
  metadata(id: string, call?: CallOptions): Promise<Readonly<Record<string, string>>>;

  /**
   * The layer's diff against `parent` (all of the layer without one) as a tar archive. The stream is the caller's to
   * read to its end or to destroy; a failure after the first byte destroys it with an error and never ends it.
   *
   * Of a layer whose archive was kept (`reproducesExactDiffs`), and against the parent on which it was applied, it is
   * that archive byte for byte; a file that is gone or changed since is a DATA_LOSS in the stream, and one that was
   * added since is not in it. Of other layers, and against other parents, it is made anew.
   */
  diff(id: string, parent?: string, call?: CallOptions): Promise<Readable>;

  /**
   * What differs from `parent`, sorted by path. Costs a walk of the diff, for drivers that copy a walk of both trees,
   * and reading files that are alike in size and time where nothing else tells whether they changed.
   * @throws RESOURCE_EXHAUSTED when the list would take more than 128 MiB: each change its path and 64 bytes. Over
   * Docker's protocol Cleat's client takes answers of 64 MiB.
   */
  changes(id: string, parent?: string, call?: CallOptions): Promise<readonly Change[]>;

  /**
   * Unpacks a tar archive as the diff of a layer that was just created on `parent`, all or nothing, and durable as
   * configured when it resolves. Returns the size in bytes of the files that it holds. `source` is read to its end, but
   * not beyond a failure. Extended attributes that the file system cannot hold (`com.apple.…`, `user.` on a symlink)
   * are left out, with one warning that counts and names them, but for `security.capability`; option
   * `cleat.strict_attributes` makes them errors.
   * @throws INVALID_ARGUMENT when the archive is malformed, is empty (not even end blocks) or tries to leave the layer.
   * @throws DATA_LOSS when the archive is truncated.
   * @throws FAILED_PRECONDITION when the layer is mounted, or holds changes already.
   */
  applyDiff(
    id: string,
    parent: string | undefined,
    source: AsyncIterable<Uint8Array>,
    call?: CallOptions,
  ): Promise<number>;

  /** Size in bytes of the files that the layer adds to `parent`; hard links are counted once. */
  diffSize(id: string, parent?: string, call?: CallOptions): Promise<number>;

  /**
   * Hands out the files of a layer without mounting it, where the driver can. A driver that keeps a layer as a whole
   * copy hands out what lies below too. Over Docker's protocol there is no such call. Source: moby v20.10.24
   * `daemon/graphdriver/driver.go`, `DiffGetterDriver`.
   * @throws FAILED_PRECONDITION when some of the layer's files are not to be had without a mount.
   */
  diffGetter?(id: string, call?: CallOptions): Promise<DiffGetter>;

  /**
   * What mount(2) is to be called with to make the layer visible elsewhere, without mounting it here: one mount, whose
   * paths are absolute, and are those by which every other layer's mount names the same folder. Costs reading the
   * layer's small files. Over Docker's protocol there is no such call. Source: containerd v2.1.9
   * `plugins/snapshots/overlay/overlay.go` `mounts`. A driver that mounts mounts nothing for it, and counts nothing:
   * who writes through such a mount sees to it that the layer is not changed or removed meanwhile.
   * @throws OUT_OF_RANGE when the stack is deeper than the kernel takes, or its paths are longer than one call of
   * mount(2) does.
   * @throws FAILED_PRECONDITION when the layer is to be written to, and a layer lies on it that shows what it holds.
   */
  mounts?(id: string, options?: MountsOptions, call?: CallOptions): Promise<readonly MountSpec[]>;

  /**
   * What the layer takes on disk beyond its parent: a file of several names counts once, a driver that copies counts
   * the whole copy. Costs a walk. Over Docker's protocol there is no such call.
   */
  usage?(id: string, call?: CallOptions): Promise<LayerUsage>;

  /**
   * Lays a layer that was made without a parent, and filled, on one, or takes that back; durable when it resolves.
   * Deletions in it mean something from then on, an opaque mark at its root among them, also of a layer that lies
   * there already. Only where a layer keeps its diff alone. Over Docker's protocol there is not such a call.
   * @throws FAILED_PRECONDITION when the layer is mounted here, or another layer lies on it.
   */
  rebase?(id: string, parent: string | undefined, call?: CallOptions): Promise<void>;

  /**
   * Puts right what a power loss has left of layers that were made `mendable`; returns those which were not whole. To
   * be called before any of them is used, parents before what lies on them. Costs a look at each, but where no power
   * can have been lost since the last time. Over Docker's protocol there is no such call.
   */
  mend?(layers: readonly MendableLayer[]): Promise<readonly string[]>;

  /**
   * Every layer, sorted by id; one that is made or removed meanwhile may be among them or not. Costs a look at each
   * layer, at the first step. Over Docker's protocol there is no such call.
   */
  list?(call?: CallOptions): AsyncIterable<ListedLayer>;

  /** The engine's shutdown (`GraphDriver.Cleanup`): unmounts every layer, whoever holds it. Never deletes one. */
  cleanup(call?: CallOptions): Promise<void>;

  /**
   * Waits for running calls and gives back threads, locks and descriptors; what is sent or read by somebody who is
   * silent for a second meanwhile fails with ABORTED. Mounts stay, because the engine and its containers may outlive
   * this process; the next `open` adopts them. May be called twice. `await using driver = await open(…)` calls it at
   * the end of its block.
   */
  close(): Promise<void>;
}

/** All of a driver but `await using`: what its author writes. `openHome` adds the rest; to be served it is enough. */
export type GraphDriverMethods = Omit<GraphDriver, typeof Symbol.asyncDispose>;

/** What a driver can do beyond the contract; asked for, never derived from a name. */
export interface DriverCapabilities {
  /**
   * `diff` gives back byte for byte what `applyDiff` was given from here on. An archive of which that cannot be done,
   * as it names a file twice, is then refused with INVALID_ARGUMENT. Layers from before have none to give back.
   */
  readonly reproducesExactDiffs: boolean;
  /** `get` mounts: the path is a mount point of its own, and mount counts matter. */
  readonly mounts: boolean;
  /** The `size` storage option is enforced. */
  readonly enforcesSize: boolean;
  /**
   * `remove` refuses a layer while another one that the driver knows of lies on it. Never so over Docker's protocol,
   * whose engines count children themselves, and may remove a layer on which lies one that a crashed engine forgot.
   */
  readonly protectsParents: boolean;
  /** The number of layers that can be stacked. */
  readonly maxDepth: number;
}

export interface CreateOptions {
  /** The id of the layer below. */
  readonly parent?: string | undefined;
  /** SELinux label for files and mounts; kept by drivers that mount. */
  readonly mountLabel?: string | undefined;
  /** The engine's `--storage-opt` of this container, keys as typed by the user. */
  readonly storageOptions?: Readonly<Record<string, string>> | undefined;
  /**
   * The caller keeps what the layer lies on, flushes a file of its own in the same file system once the layer is made,
   * and calls `mend` when it opens the driver again. The layer is durable with that flush, and need not be before. For
   * drivers that have `mend`; others take no notice. Default false.
   */
  readonly mendable?: boolean | undefined;
  /**
   * Who has the root of a new layer that lies on another, on the disk: as the parent's has, or that one. Default is who
   * is root in layers. For drivers that tell `onMounts`; others take no notice.
   */
  readonly rootOwner?: "as parent" | { readonly uid: number; readonly gid: number } | undefined;
  /**
   * Is told how to mount the new layer, as `mounts` would of one to be written to, by a driver that knows it already,
   * and has given its root the `rootOwner`: who is told need not ask. Others tell nothing.
   */
  readonly onMounts?: ((mounts: readonly MountSpec[]) => void) | undefined;
  /**
   * The caller's own record of the layer, which the thread that has made it writes last, unless that was withdrawn by
   * then. For drivers that tell `onMounts`, and whose new layers hold no copy of anything; others take no notice. How
   * it went the caller asks of the record: when the call is given up a thread may still be at it, and where a thread
   * dies the driver says so (`abandonWrite`). Where the write fails the layer is there all the same.
   */
  readonly record?: OfferedWrite | undefined;
}

/** A layer that was made `mendable`, and what it was made on. */
export interface MendableLayer {
  readonly id: string;
  readonly parent: string | undefined;
}

export interface RemoveOptions {
  /**
   * Removes the layer though others lie on it. Those can still be removed; where a layer needs what lies below, `get`
   * rejects with FAILED_PRECONDITION from then on, and `diff` and `changes` against the layer that is gone with
   * NOT_FOUND. Default false.
   */
  readonly evenWithChildren?: boolean | undefined;
  /**
   * Whether that layer may lie on this one, as the caller's own records tell, which must be whole: asked of layers
   * whose files cannot be read now. Default: any of those may, and keeps this one from being removed.
   */
  readonly mayLieOn?: ((other: string) => boolean) | undefined;
  /** Is called once the layer is out of the store, and its id is free; its files are being deleted from then on. */
  readonly onGone?: (() => void) | undefined;
}

export interface MountsOptions {
  /** Nothing can be written through the mount: what a view of an image wants. Default false. */
  readonly readOnly?: boolean | undefined;
}

/** What mount(2) is to be called with, in the spelling of fstab. Source: containerd v2.1.9 `core/mount/mount.go`. */
export interface MountSpec {
  /** "bind", "overlay", "fuse3.fuse-overlayfs" */
  readonly type: string;
  readonly source: string;
  /** "rbind", "ro", "lowerdir=/a:/b" */
  readonly options: readonly string[];
}

export interface LayerUsage {
  /** Bytes of whole blocks on disk. */
  readonly sizeBytes: number;
  readonly inodes: number;
}

/**
 * Files of one layer that was filled. Symlinks within a path lead below the layer's root, wherever they point; the file
 * itself must be a regular one.
 */
export interface DiffGetter extends AsyncDisposable {
  /**
   * The content of the file at a path as an archive spells it, relative to the layer's root or with a slash before it.
   * The stream is the caller's to read to its end or to destroy.
   * @throws NOT_FOUND when there is no regular file.
   * @throws INVALID_ARGUMENT when the path leads out of the layer.
   * @throws FAILED_PRECONDITION after `close`.
   */
  get(path: Uint8Array): Promise<Readable>;
  /** Streams that were handed out go on. May be called twice; a getter that is not closed holds a descriptor. */
  close(): Promise<void>;
}

/** What a driver knows of a layer without looking into it. */
export interface ListedLayer {
  readonly id: string;
  /** `undefined` for a layer without one, and where nothing tells. May be gone, after a `remove` `evenWithChildren`. */
  readonly parent: string | undefined;
  /**
   * `image`: another layer lies on it. `init` and `container`: the two that Docker makes of a container. Else
   * `unknown`.
   */
  readonly kind: LayerRole;
  /**
   * What of a layer contradicts itself or others, where the driver looks: "lies on …, which …". It is not to be trusted
   * then.
   */
  readonly misfit?: string | undefined;
  /** What the system says of files that cannot be looked at now, as on a disk that fails: the layer may be whole. */
  readonly unreadable?: string | undefined;
}

export interface GetOptions {
  /** Default that of `create`, as long as this process remembers it. */
  readonly mountLabel?: string | undefined;
}

export type StatusRow = readonly [name: string, value: string];

export type ChangeKind = "modified" | "added" | "deleted";

export interface Change {
  /** Absolute within the layer, `/etc/hosts`; bytes, because names need not be UTF-8. */
  readonly path: Buffer;
  readonly kind: ChangeKind;
}
