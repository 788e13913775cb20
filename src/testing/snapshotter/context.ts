import { AssertionError } from "node:assert";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { CleatError, type ErrorCode } from "../../errors/index.ts";
import type { SnapshotInfo, Snapshotter } from "../../snapshotter/index.ts";

/** What the subject can do beyond the contract; a snapshotter behind a socket cannot be asked. */
export interface SnapshotterAbilities {
  /** Gives a snapshot its parent when it is committed. */
  readonly rebase: boolean;
  /** Tells the codes of the contract; containerd's own snapshotters answer UNKNOWN to some calls. */
  readonly codes: boolean;
  /** Can be closed and opened again on what it kept. */
  readonly reopens: boolean;
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
  /** Fails unless the call rejects with one of the codes. Returns the error. */
  refused(call: Promise<unknown>, ...codes: readonly ErrorCode[]): Promise<CleatError>;
}

export interface ContextOptions {
  open(root: string): Promise<Snapshotter>;
  readonly folder: string;
  readonly abilities: SnapshotterAbilities;
}

let opened = 0;

export async function openContext({ open, folder, abilities }: ContextOptions): Promise<SnapshotterContext> {
  const root = await mkdtemp(join(folder, "snapshotter-kit-"));
  const run = `${process.pid}-${opened++}`;
  const names: string[] = [];
  let snapshotter = await open(root);

  const context: SnapshotterContext = {
    get snapshotter() {
      return snapshotter;
    },
    abilities,
    newName: (prefix = "s") => context.own(`${prefix} ${run}/${names.length}`),
    own(name) {
      names.push(name);
      return name;
    },
    async newCommitted(parent) {
      const [key, name] = [context.newName("key"), context.newName("committed")];
      await snapshotter.prepare(key, { parent });
      await snapshotter.commit(name, key, {});
      return name;
    },
    async listOwn(filters) {
      const found = new Map<string, SnapshotInfo>();
      for await (const info of snapshotter.list(filters)) {
        if (!names.includes(info.name)) continue;
        if (found.has(info.name)) throw new AssertionError({ message: `list tells "${info.name}" twice` });
        found.set(info.name, info);
      }
      return found;
    },
    async reopen() {
      await snapshotter.close();
      snapshotter = await open(root);
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
        await removeAll(snapshotter, names);
      } finally {
        await snapshotter.close();
        await rm(root, { recursive: true, force: true });
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
