import { setImmediate as nextTurn } from "node:timers/promises";
import { CleatError } from "../../errors/index.ts";
import { nowNs } from "../../syscall/index.ts";
import { filterInfos } from "../filters/filter-infos.ts";
import { quoteName, updateLabels } from "../names-and-labels.ts";
import type { SnapshotInfo, Snapshotter, UpdateOptions } from "../snapshotter.ts";
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
    prepare: (key, prepare, call) => removing.before(() => makeSnapshot(store, key, "active", prepare, call)),
    view: (key, prepare, call) => removing.before(() => makeSnapshot(store, key, "view", prepare, call)),

    async mounts(key) {
      const record = table.find(key);
      if (record.kind !== "committed") return mountsOf(store, record);
      throw new CleatError("FAILED_PRECONDITION", `snapshot ${quoteName(key)} is committed, and has no mounts`);
    },

    commit: (name, key, commit, call) => removing.before(() => commitSnapshot(store, name, key, commit, call)),
    remove: (key) => removing.before(() => removeSnapshot(store, key)),

    async stat(key) {
      return table.toInfo(table.find(key));
    },

    update: (key, change) => removing.before(() => updateSnapshot(store, key, change)),

    async *list(filters = [], call = {}) {
      const matches = filterInfos(filters);
      const wantsAll = filters.length === 0;
      let turnMs = performance.now();
      for (const record of records.all()) {
        if (performance.now() - turnMs > maxTurnMs) {
          await nextTurn();
          turnMs = performance.now();
        }
        call.signal?.throwIfAborted();
        if (!wantsAll && !table.isUsable(record)) continue;
        const info = table.toInfo(record);
        if (matches(info)) yield info;
      }
    },

    async usage(key, call) {
      const record = table.find(key);
      if (record.kind === "committed") return record.usage ?? withSnapshot(key, measuring.now(record.id, call), call);
      if (!hasOwnPlace(record)) return { sizeBytes: 0, inodes: 0 };
      return withSnapshot(key, storage.usage(record.id, call), call);
    },

    cleanup: sweep,
    close: () => (closing ??= closeAll()),
  };
}

/** Once its record is gone its place is nobody's, and may go whenever that disturbs nobody; `remove-behind.ts`. */
async function removeSnapshot(store: StoreContext, key: string): Promise<void> {
  const { records, table, locks, removing } = store;
  await locks.hold([key], async () => {
    const record = table.findAny(key);
    const { id } = record;
    if (records.hasChildren(id) || store.isAwaited(id)) {
      throw new CleatError("FAILED_PRECONDITION", `cannot remove snapshot ${quoteName(key)}: it has children`);
    }
    await records.change({ remove: [id] });
    store.missing.delete(id);
    store.syncing.end(id);
    if (hasOwnPlace(record)) removing.later(record);
  });
}

function updateSnapshot(
  { records, table, locks }: StoreContext,
  key: string,
  change: UpdateOptions,
): Promise<SnapshotInfo> {
  return locks.hold([key], async () => {
    const record = table.find(key);
    const updated = { ...record, labels: updateLabels(record.labels, change), updatedNs: nowNs() };
    await records.change({ put: [updated] });
    return table.toInfo(updated);
  });
}

/** How long a list looks at records before others have their turn: what filters cost is up to who asks. */
const maxTurnMs = 2;
