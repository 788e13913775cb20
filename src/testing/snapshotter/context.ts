import { AssertionError } from "node:assert";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { CleatError, type ErrorCode } from "../../errors/index.ts";
import type { Mount, SnapshotInfo, Snapshotter } from "../../snapshotter/index.ts";
import { performMount, unmount } from "./perform-mount.ts";

/** What the subject can do beyond the contract; a snapshotter behind a socket cannot be asked. */
export interface SnapshotterAbilities {
  /** Gives a snapshot its parent when it is committed. */
  readonly rebase: boolean;
  /** Tells the codes of the contract; containerd's own snapshotters answer UNKNOWN to some calls. */
  readonly codes: boolean;
  /** Can be closed and opened again on what it kept. */
  readonly reopens: boolean;
  /** Its mounts can be performed in this process, which runs as root on the subject's machine. */
  readonly mounts: boolean;
  /** Keeps a whole copy of the parent in each snapshot, which counts in its usage. */
  readonly copies: boolean;
  /** Hands a layer that was unpacked in one namespace over to another; containerd's own snapshotters do not. */
  readonly adopts: boolean;
}

/** What a check of snapshotters is given. */
export interface SnapshotterContext extends AsyncDisposable {
  /** After `reopen` another object: ask the context each time. */
  readonly snapshotter: Snapshotter;
  readonly abilities: SnapshotterAbilities;
  /** A key or name that nothing has; what is under it at the end of the check is removed. */
  newName(prefix?: string): string;
  /** Counts `name` among those that are removed. */
  own(name: string): string;
  /** A committed snapshot on `parent`. */
  newCommitted(parent?: string): Promise<string>;
  /** What a list says of the check's own snapshots, by name. */
  listOwn(filters?: readonly string[]): Promise<ReadonlyMap<string, SnapshotInfo>>;
  reopen(): Promise<void>;
  /** Mounts what the subject told, runs `work` on the folder, and unmounts. */
  within<T>(mounts: readonly Mount[], work: (path: string) => T | Promise<T>): Promise<T>;
  /** A committed snapshot on `parent` in which `work` was done; `options` are the commit's. */
  newLayer(parent: string | undefined, work: (path: string) => void): Promise<string>;
  /** Runs `work` on a view of the snapshot, and removes the view. */
  viewed<T>(parent: string, work: (path: string) => T | Promise<T>): Promise<T>;
  /** Fails unless the call rejects with one of the codes. Returns the error. */
  refused(call: Promise<unknown>, ...codes: readonly ErrorCode[]): Promise<CleatError>;
}

/** A snapshotter that one check has, or several in turn. */
export interface Subject extends AsyncDisposable {
  /** After `reopen` another object. */
  readonly snapshotter: Snapshotter;
  /** Where mount points are made. */
  readonly mountPoints: string;
  reopen(): Promise<void>;
}

/** Opens the snapshotter on a new folder below `folder`. */
export async function openSubject(open: (root: string) => Promise<Snapshotter>, folder: string): Promise<Subject> {
  const root = await mkdtemp(join(folder, "snapshotter-kit-"));
  const mountPoints = await mkdtemp(join(folder, "snapshotter-mounts-"));
  let snapshotter = await open(root);
  return {
    get snapshotter() {
      return snapshotter;
    },
    mountPoints,
    async reopen() {
      await snapshotter.close();
      snapshotter = await open(root);
    },
    async [Symbol.asyncDispose]() {
      await snapshotter.close();
      for (const path of [mountPoints, root]) await rm(path, { recursive: true, force: true });
    },
  };
}

let opened = 0;

/**
 * Hands out subjects: a new one each time or, where it is to be reused, always the same, which is disposed of at the
 * end.
 */
export interface Subjects extends AsyncDisposable {
  take(): Promise<Subject>;
}

export function createSubjects(open: () => Promise<Subject>, reuse: boolean): Subjects {
  let kept: Promise<Subject> | undefined;
  const keep = async (): Promise<Subject> => {
    const subject = await (kept ??= open());
    return Object.create(subject, { [Symbol.asyncDispose]: { value: async () => {} } }) as Subject;
  };
  return {
    take: reuse ? keep : open,
    async [Symbol.asyncDispose]() {
      await (await kept)?.[Symbol.asyncDispose]();
    },
  };
}

/** What a check is given of a subject, which is disposed of with it. */
export function openContext(subject: Subject, abilities: SnapshotterAbilities): SnapshotterContext {
  const run = `${process.pid}-${opened++}`;
  const names: string[] = [];

  const context: SnapshotterContext = {
    get snapshotter() {
      return subject.snapshotter;
    },
    abilities,
    newName: (prefix = "s") => context.own(`${prefix} ${run}/${names.length}`),
    own(name) {
      names.push(name);
      return name;
    },
    async newCommitted(parent) {
      const [key, name] = [context.newName("key"), context.newName("committed")];
      await subject.snapshotter.prepare(key, { parent });
      await subject.snapshotter.commit(name, key, {});
      return name;
    },
    async listOwn(filters) {
      const found = new Map<string, SnapshotInfo>();
      for await (const info of subject.snapshotter.list(filters)) {
        if (!names.includes(info.name)) continue;
        if (found.has(info.name)) throw new AssertionError({ message: `list tells "${info.name}" twice` });
        found.set(info.name, info);
      }
      return found;
    },
    reopen: () => subject.reopen(),
    async within([mount, ...others], work) {
      if (mount === undefined || others.length > 0) throw new AssertionError({ message: "mounts are not one" });
      const target = await mkdtemp(join(subject.mountPoints, "m-"));
      performMount(mount, target);
      try {
        return await work(target);
      } finally {
        unmount(target);
      }
    },
    async newLayer(parent, work) {
      const { snapshotter } = subject;
      const [key, name] = [context.newName("key"), context.newName("layer")];
      await context.within(await snapshotter.prepare(key, { parent }), work);
      await snapshotter.commit(name, key, {});
      return name;
    },
    async viewed(parent, work) {
      const { snapshotter } = subject;
      const key = context.newName("view");
      const result = await context.within(await snapshotter.view(key, { parent }), work);
      await snapshotter.remove(key);
      return result;
    },
    async refused(call, ...codes) {
      const error: unknown = await call.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      const wanted = codes.join(" or ");
      if (error === undefined) throw new AssertionError({ message: `call succeeded, expected ${wanted}` });
      if (!(error instanceof CleatError)) throw new AssertionError({ message: `rejected with ${String(error)}` });
      if (abilities.codes ? !codes.includes(error.code) : false) {
        throw new AssertionError({ message: `rejected with ${error.code} ("${error.message}"), expected ${wanted}` });
      }
      return error;
    },
    async [Symbol.asyncDispose]() {
      try {
        await removeAll(subject.snapshotter, names);
      } finally {
        await subject[Symbol.asyncDispose]();
      }
    },
  };
  return context;
}

/** Children first: a name that is a parent still has its turn again, after the others. */
async function removeAll(snapshotter: Snapshotter, names: readonly string[]): Promise<void> {
  let left = names.toReversed();
  while (left.length > 0) {
    const kept: string[] = [];
    for (const name of left) {
      await snapshotter.remove(name).catch((error: unknown) => {
        if (!(error instanceof CleatError) || error.code === "FAILED_PRECONDITION") kept.push(name);
      });
    }
    if (kept.length === left.length) throw new AssertionError({ message: `"${kept[0]}" cannot be removed` });
    left = kept;
  }
}
