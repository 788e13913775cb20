import { setImmediate as nextTurn } from "node:timers/promises";
import { CleatError } from "../../errors/index.ts";
import { createWanted, whileWanted } from "../../graphdriver/kit.ts";
import type { CallOptions } from "../../protocol/index.ts";
import { nowNs } from "../../syscall/index.ts";
import { filterInfos } from "../filters/filter-infos.ts";
import { quoteName, updateLabels } from "../names-and-labels.ts";
import type { SnapshotRecord } from "../records/record.ts";
import type { SnapshotInfo, Snapshotter, UpdateOptions, Usage } from "../snapshotter.ts";
import { commitSnapshot } from "./commit-snapshot.ts";
import { makeSnapshot, mountsOf } from "./make-snapshot.ts";
import { hasOwnPlace } from "./snapshot-table.ts";
import type { StoreContext } from "./store-context.ts";
import { withSnapshot } from "./with-snapshot.ts";

/** A snapshotter over what was opened; `release` is called at the end of `close`. */
export function createSnapshotter(store: StoreContext, release: () => Promise<void>): Snapshotter {
  const { records, table, storage, measuring, removing, logger } = store;
  const sweep = async () => {
    await removing.settled();
    await storage.sweep((id) => store.making.has(id) || records.isLive(id), store.mayLieOn);
  };
  /** Who gives up waits no longer; what was begun goes on, and keeps its key. */
  const changing = <T>(key: string, call: CallOptions | undefined, change: (own?: CallOptions) => Promise<T>) =>
    whileWanted(subjectOf(key), call, (own) => removing.before(() => change(own)));
  let closing: Promise<void> | undefined;

  const closeAll = async () => {
    removing.stop();
    try {
      await store.syncing.close();
      await measuring.close();
      await records.close();
    } finally {
      // A disk that fails may fail to close a file; whoever opens the snapshots next is not to find them locked.
      await storage.close().finally(release);
    }
  };

  void sweep().catch((error: unknown) => logger.warn({ err: error }, "could not clean up"));

  return {
    prepare: (key, prepare, call) => changing(key, call, (own) => makeSnapshot(store, key, "active", prepare, own)),
    view: (key, prepare, call) => changing(key, call, (own) => makeSnapshot(store, key, "view", prepare, own)),

    async mounts(key) {
      const record = table.find(key);
      if (record.kind !== "committed") return mountsOf(store, record);
      throw new CleatError("FAILED_PRECONDITION", `snapshot ${quoteName(key)} is committed, and has no mounts`);
    },

    commit: (name, key, commit, call) => changing(key, call, (own) => commitSnapshot(store, name, key, commit, own)),
    remove: (key, call) => changing(key, call, (own) => removeSnapshot(store, key, own)),

    async stat(key) {
      return table.toInfo(table.find(key));
    },

    update: (key, change, call) => changing(key, call, (own) => updateSnapshot(store, key, change, own)),

    async *list(filters = [], { signal } = {}) {
      const matches = filterInfos(filters);
      const wantsAll = filters.length === 0;
      const wanted = createWanted("list of snapshots", { signal }); // how long it is read is the reader's affair
      let turnMs = performance.now();
      try {
        for (const record of records.all()) {
          if (performance.now() - turnMs > maxTurnMs) {
            await nextTurn();
            turnMs = performance.now();
          }
          wanted.signal?.throwIfAborted();
          if (!wantsAll && !table.isUsable(record)) continue;
          const info = table.toInfo(record);
          if (matches(info)) yield info;
        }
      } finally {
        wanted.release();
      }
    },

    async usage(key, call) {
      const record = table.find(key);
      if (record.kind === "committed" && record.usage !== undefined) return record.usage;
      if (!hasOwnPlace(record)) return { sizeBytes: 0, inodes: 0 };
      return whileWanted(subjectOf(key), call, (own) => measure(store, record, own));
    },

    cleanup: (call) => whileWanted("clean-up of snapshots", call, sweep),
    close: () => (closing ??= closeAll()),
  };
}

/** Once its record is gone its place is nobody's, and may go whenever that disturbs nobody; `remove-behind.ts`. */
async function removeSnapshot(store: StoreContext, key: string, call?: CallOptions): Promise<void> {
  const { records, table, locks, removing } = store;
  const remove = async () => {
    const record = table.findAny(key);
    const { id } = record;
    if (records.hasChildren(id) || store.isAwaited(id)) {
      throw new CleatError("FAILED_PRECONDITION", `cannot remove snapshot ${quoteName(key)}: it has children`);
    }
    await records.change({ remove: [id] });
    store.missing.delete(id);
    store.syncing.end(id);
    if (hasOwnPlace(record)) removing.later(record);
  };
  await locks.hold([key], remove, call);
}

function updateSnapshot(
  { records, table, locks }: StoreContext,
  key: string,
  change: UpdateOptions,
  call?: CallOptions,
): Promise<SnapshotInfo> {
  const update = async () => {
    const record = table.find(key);
    const updated = { ...record, labels: updateLabels(record.labels, change), updatedNs: nowNs() };
    await records.change({ put: [updated] });
    return table.toInfo(updated);
  };
  return locks.hold([key], update, call);
}

async function measure(
  { records, storage, measuring }: StoreContext,
  { id, name, kind }: SnapshotRecord,
  call: CallOptions | undefined,
): Promise<Usage> {
  try {
    return await withSnapshot(name, kind === "committed" ? measuring.now(id, call) : storage.usage(id, call), call);
  } catch (error) {
    if (call?.signal?.aborted === true || records.byId(id) !== undefined) throw error;
    // What else is said of a walk whose tree goes away, engines take for more than that: each passes over NOT_FOUND.
    throw new CleatError("NOT_FOUND", `${subjectOf(name)} was removed meanwhile: not found`, { cause: error });
  }
}

function subjectOf(key: string): string {
  return `snapshot ${quoteName(key)}`;
}

/** How long a list looks at records before others have their turn: what filters cost is up to who asks. */
const maxTurnMs = 2;
