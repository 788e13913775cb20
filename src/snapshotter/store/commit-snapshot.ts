import { CleatError, isSystemError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import { assertName, isGiven, quoteName, toLabels } from "../names-and-labels.ts";
import type { SnapshotRecord } from "../records/record.ts";
import type { CommitOptions } from "../snapshotter.ts";
import type { StoreContext } from "./store-context.ts";
import { type NewRecord, putNew } from "./put-new.ts";
import { syncInTime } from "./sync-in-time.ts";
import { withSnapshot } from "./with-snapshot.ts";

/** `commit`. */
export async function commitSnapshot(
  store: StoreContext,
  name: string,
  key: string,
  { labels, parent: parentName }: CommitOptions,
  call: CallOptions = {},
): Promise<void> {
  const { table, locks } = store;
  const commit = async () => {
    assertName(name, "name");
    const kept = toLabels(labels);
    table.assertFree(name);
    const record = table.find(key);
    if (record.kind !== "active") {
      throw new CleatError("FAILED_PRECONDITION", `snapshot ${quoteName(key)} is not active but ${record.kind}`);
    }
    const parent = isGiven(parentName) ? findNewParent(store, record, parentName) : undefined;
    await store.withParent(parent, async () => {
      if (parent === undefined) await settle(store, record);
      await makeDurable(store, record, call);
      const committed = { ...record, name, kind: "committed" as const, labels: kept, usage: undefined };
      if (parent === undefined) await putNew(store.records, committed);
      else await commitOn(store, record, { ...committed, parentId: parent.id });
    });
    store.syncing.end(record.id);
    store.measuring.later(record.id);
  };
  await locks.hold([...new Set([key, name])], commit, call);
}

async function settle({ storage }: StoreContext, { id, name, parentId }: SnapshotRecord): Promise<void> {
  if (storage.settle !== undefined && parentId !== undefined) await withSnapshot(name, storage.settle(id, parentId));
}

/**
 * @throws DATA_LOSS when something that was written to it is lost, or may be: also where the kernel has told that to
 * another flush than this one.
 */
async function makeDurable({ lostWrites }: StoreContext, { id, name }: SnapshotRecord, call: CallOptions) {
  lostWrites.assertNone(id, name);
  try {
    await syncInTime(lostWrites.sync, name, call);
  } catch (error) {
    if (isSystemError(error)) lostWrites.assertNone(id, name);
    throw error;
  }
  lostWrites.assertNone(id, name);
}

/**
 * The files come first: what a crash leaves between the two is taken back by who opens them next, as the record tells.
 */
async function commitOn(store: StoreContext, record: SnapshotRecord, committed: NewRecord): Promise<void> {
  const { storage, records, missing, logger } = store;
  const { id, name } = record;
  if (storage.rebase !== undefined) await withSnapshot(name, storage.rebase(id, committed.parentId));
  try {
    await putNew(records, committed);
  } catch (error) {
    if (!records.isBroken) {
      await storage.rebase?.(id, undefined).catch((failure: unknown) => {
        logger.warn({ err: failure, id, snapshot: name }, "files of a snapshot could not be taken off others");
        missing.add(id); // until it is opened again
      });
    }
    throw error;
  }
}

/** `undefined` where it is the parent already. */
function findNewParent(store: StoreContext, record: SnapshotRecord, parentName: string): SnapshotRecord | undefined {
  const { records, storage, table } = store;
  if (record.parentId !== undefined) {
    if (records.byName(parentName)?.id === record.parentId) return undefined;
    const message = `snapshot ${quoteName(record.name)} has a parent already, and ${quoteName(parentName)} is not it`;
    throw new CleatError("INVALID_ARGUMENT", message);
  }
  if (storage.rebase === undefined) {
    const message = `snapshot ${quoteName(record.name)} cannot be given a parent here`;
    throw new CleatError("UNIMPLEMENTED", message);
  }
  return table.findParent(parentName, "FAILED_PRECONDITION");
}
