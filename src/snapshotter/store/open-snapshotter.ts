import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import { type Logger, silentLogger } from "../../transport/index.ts";
import { nowNs } from "../clock.ts";
import { filterInfos } from "../filters/filter-infos.ts";
import { createKeyLocks } from "../key-locks.ts";
import { lockRoot } from "./lock-root.ts";
import { measureBehind } from "./measure-behind.ts";
import { assertName, quoteName, toLabels, updateLabels } from "../names-and-labels.ts";
import type { SnapshotRecord } from "../records/record.ts";
import { openRecordFiles, type RecordFiles } from "../records/record-files.ts";
import { openRecords, type Records } from "../records/records.ts";
import { createSnapshotTable } from "./snapshot-table.ts";
import type { Mount, PrepareOptions, Snapshotter } from "../snapshotter.ts";
import type { SnapshotStorage } from "../snapshot-storage.ts";

export interface OpenSnapshotterOptions {
  /** Absolute path of a folder for the records, which is made. No other process may have it open. */
  readonly root: string;
  /** Closed with the snapshotter. */
  readonly storage: SnapshotStorage;
  readonly logger?: Logger;
}

/**
 * Opens a snapshotter over a storage. What the records and the storage do not agree about is settled: places without a
 * record are deleted behind; a record without a place is no snapshot any more, and may be removed.
 * @throws FAILED_PRECONDITION when another process has it open, or places are there and the records are not.
 * @throws DATA_LOSS when the records are damaged. The storage is not closed then.
 */
export async function openSnapshotter(options: OpenSnapshotterOptions): Promise<Snapshotter> {
  const { root, storage, logger = silentLogger } = options;
  const files = await openRecordFiles(root);
  const lock = await lockRoot(join(root, "lock"));
  try {
    return await openOverFiles(files, storage, logger, () => lock.release());
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** As `openSnapshotter`, over any disk. @internal */
export async function openOverFiles(
  files: RecordFiles,
  storage: SnapshotStorage,
  logger: Logger = silentLogger,
  release: () => Promise<void> = async () => {},
): Promise<Snapshotter> {
  const places = await storage.list();
  const records = await openRecords(
    files,
    places.reduce((highest, id) => Math.max(highest, id), 0),
  );
  if (records.tornBytes > 0)
    logger.warn({ bytes: records.tornBytes }, "a change that was never acknowledged was cut off");
  const there = new Set(places);
  const missing = new Set(records.all().flatMap(({ id }) => (there.has(id) ? [] : [id])));
  for (const id of missing) logger.warn({ id, snapshot: records.byId(id)?.name }, "files of a snapshot are gone");
  return createSnapshotter(records, missing, storage, logger, release);
}

function createSnapshotter(
  records: Records,
  missing: Set<number>,
  storage: SnapshotStorage,
  logger: Logger,
  release: () => Promise<void>,
): Snapshotter {
  const table = createSnapshotTable(records, missing, storage.capabilities.needsParents);
  const locks = createKeyLocks();
  const measure = measureBehind(records, table, storage, logger);
  /** Places that have no record yet, and how many of them each parent waits for. */
  const making = new Set<number>();
  const awaited = new Map<number, number>();
  let closing: Promise<void> | undefined;

  const withParent = async <T>(parent: SnapshotRecord | undefined, work: () => Promise<T>): Promise<T> => {
    if (parent === undefined) return work();
    awaited.set(parent.id, (awaited.get(parent.id) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (awaited.get(parent.id) as number) - 1;
      if (left === 0) awaited.delete(parent.id);
      else awaited.set(parent.id, left);
    }
  };
  const discard = async (id: number) => {
    try {
      await storage.remove(id);
    } catch (error) {
      logger.warn({ err: error, id }, "files of a snapshot are left for the next clean-up");
    }
  };
  const sweep = () => storage.sweep((id) => making.has(id) || records.byId(id) !== undefined);

  const make = async (
    key: string,
    kind: "active" | "view",
    { parent: parentName, labels }: PrepareOptions,
    call: CallOptions = {},
  ): Promise<readonly Mount[]> => {
    assertName(key, "key");
    const kept = toLabels(labels);
    return locks.hold([key], async () => {
      table.assertFree(key);
      const parent = isGiven(parentName) ? table.findParent(parentName, "INVALID_ARGUMENT") : undefined;
      return withParent(parent, async () => {
        const id = await records.takeId();
        const record = { id, name: key, kind, parentId: parent?.id, labels: kept, usage: undefined };
        making.add(id);
        try {
          await storage.create(table.toStored(record), call);
          call.signal?.throwIfAborted();
          const mounts = await mountsOf(record);
          const createdNs = nowNs();
          await records.change({ put: [{ ...record, createdNs, updatedNs: createdNs }] });
          making.delete(id);
          return mounts;
        } catch (error) {
          // Where its record may be on the disk all the same, its place must be there, too; the next to open it decides.
          if (!records.isBroken) {
            await discard(id);
            making.delete(id);
          }
          throw error;
        }
      });
    });
  };
  const mountsOf = async (record: Omit<SnapshotRecord, "createdNs" | "updatedNs">): Promise<readonly Mount[]> => {
    const mounts = await storage.mounts(table.toStored(record));
    // An engine would unpack into a folder of its own, and lose it.
    if (mounts.length > 0) return mounts;
    throw new CleatError("INTERNAL", `snapshot ${quoteName(record.name)} has no mounts`);
  };

  void sweep().catch((error: unknown) => logger.warn({ err: error }, "could not clean up"));

  return {
    prepare: (key, prepare, call) => make(key, "active", prepare, call),
    view: (key, prepare, call) => make(key, "view", prepare, call),

    async mounts(key) {
      const record = table.find(key);
      if (record.kind !== "committed") return mountsOf(record);
      throw new CleatError("FAILED_PRECONDITION", `snapshot ${quoteName(key)} is committed, and has no mounts`);
    },

    commit(name, key, { labels, parent: parentName }) {
      return locks.hold([...new Set([key, name])], async () => {
        assertName(name, "name");
        const kept = toLabels(labels);
        table.assertFree(name);
        const record = table.find(key);
        if (record.kind !== "active") {
          throw new CleatError("FAILED_PRECONDITION", `snapshot ${quoteName(key)} is not active but ${record.kind}`);
        }
        const parent = isGiven(parentName) ? findNewParent(record, parentName) : undefined;
        await withParent(parent, async () => {
          await storage.commit?.(table.toStored(record));
          const createdNs = nowNs();
          const parentId = parent?.id ?? record.parentId;
          const committed = { ...record, name, kind: "committed" as const, parentId, labels: kept, usage: undefined };
          await records.change({ put: [{ ...committed, createdNs, updatedNs: createdNs }] });
        });
        measure.later(record.id);
      });
    },

    remove: (key) =>
      locks.hold([key], async () => {
        const { id } = table.findAny(key);
        if (records.hasChildren(id) || awaited.has(id)) {
          throw new CleatError("FAILED_PRECONDITION", `cannot remove snapshot ${quoteName(key)}: it has children`);
        }
        await records.change({ remove: [id] });
        missing.delete(id);
        await discard(id);
      }),

    async stat(key) {
      return table.toInfo(table.find(key));
    },

    update: (key, change) =>
      locks.hold([key], async () => {
        const record = table.find(key);
        const updated = { ...record, labels: updateLabels(record.labels, change), updatedNs: nowNs() };
        await records.change({ put: [updated] });
        return table.toInfo(updated);
      }),

    async *list(filters = [], call = {}) {
      const matches = filterInfos(filters);
      const wantsAll = filters.length === 0;
      let count = 0;
      for (const record of records.all()) {
        if (++count % recordsPerTurn === 0) await nextTurn();
        call.signal?.throwIfAborted();
        if (!wantsAll && !table.isUsable(record)) continue;
        const info = table.toInfo(record);
        if (matches(info)) yield info;
      }
    },

    async usage(key, call) {
      const record = table.find(key);
      if (record.kind === "committed") return record.usage ?? measure.now(record.id, call);
      return storage.usage(table.toStored(record), call);
    },

    cleanup: sweep,

    close() {
      return (closing ??= (async () => {
        await measure.close();
        await records.close();
        await storage.close();
        await release();
      })());
    },
  };

  function findNewParent(record: SnapshotRecord, parentName: string): SnapshotRecord | undefined {
    if (record.parentId !== undefined) {
      if (records.byName(parentName)?.id === record.parentId) return undefined;
      const message = `snapshot ${quoteName(record.name)} has a parent already, and ${quoteName(parentName)} is not it`;
      throw new CleatError("INVALID_ARGUMENT", message);
    }
    if (!storage.capabilities.rebase) {
      const message = `snapshot ${quoteName(record.name)} cannot be given a parent here`;
      throw new CleatError("UNIMPLEMENTED", message);
    }
    return table.findParent(parentName, "FAILED_PRECONDITION");
  }
}

/** How many records a list looks at before others have their turn. */
const recordsPerTurn = 250;

/** On the wire, and in containerd, an empty name is none. */
function isGiven(name: string | undefined): name is string {
  return name !== undefined && name !== "";
}
