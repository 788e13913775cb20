import { CleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import { assertName, isGiven, quoteName, toLabels } from "../names-and-labels.ts";
import type { Labels, Mount, PrepareOptions } from "../snapshotter.ts";
import { isUnpackKey, layerNamedBy, maxSizeOf, useOf } from "./snapshot-purpose.ts";
import { makeAndPut, type NewRecord, putNew } from "./put-new.ts";
import { hasOwnPlace, placeOf } from "./snapshot-table.ts";
import type { StoreContext } from "./store-context.ts";
import { withSnapshot } from "./with-snapshot.ts";

/** `prepare` and `view`. */
export async function makeSnapshot(
  store: StoreContext,
  key: string,
  kind: "active" | "view",
  { parent: parentName, labels }: PrepareOptions,
  call: CallOptions = {},
): Promise<readonly Mount[]> {
  const { table, records, locks } = store;
  assertName(key, "key");
  const kept = toLabels(labels);
  const make = async () => {
    table.assertFree(key);
    const parent = isGiven(parentName) ? table.findParent(parentName, "INVALID_ARGUMENT") : undefined;
    return store.withParent(parent, async () => {
      if (kind === "active") await assertNotUnpacked(store, key, kept, parent?.id);
      const id = await records.takeId();
      const record = { id, name: key, kind, parentId: parent?.id, labels: kept, usage: undefined };
      if (hasOwnPlace(record)) return makePlace(store, record, call);
      const mounts = await mountsOf(store, record);
      await putNew(records, record);
      return mounts;
    });
  };
  return locks.hold([key], make, call);
}

/** How to mount a snapshot that is not committed. */
export async function mountsOf({ storage, lostWrites }: StoreContext, record: NewRecord): Promise<readonly Mount[]> {
  lostWrites.told(record.id);
  return checked(record, await withSnapshot(record.name, storage.mounts(placeOf(record), useOf(record))));
}

async function makePlace(store: StoreContext, record: NewRecord, call: CallOptions): Promise<readonly Mount[]> {
  const { storage, records, making } = store;
  const { id, parentId } = record;
  const use = useOf(record);
  making.add(id);
  try {
    const place = { id, parentId, maxSizeBytes: maxSizeOf(record.labels), ...use };
    let mounts: readonly Mount[] = [];
    await makeAndPut(records, record, async (offered) => {
      const made = storage.create({ ...place, record: offered }, call);
      mounts = checked(record, await withSnapshot(record.name, made, call));
      call.signal?.throwIfAborted();
      store.lostWrites.assertNone(id, record.name); // of a copy of its parent
    });
    store.lostWrites.told(id);
    making.delete(id);
    if (record.kind === "active" && isUnpackKey(record.name)) store.syncing.begin(id);
    return mounts;
  } catch (error) {
    // Where its record may be on the disk all the same, its place must be there, too; the next to open it decides.
    if (!records.isBroken) {
      await store.discard(record);
      making.delete(id);
    }
    throw error;
  }
}

/** An engine would unpack into a folder of its own, and lose it. */
function checked(record: NewRecord, mounts: readonly Mount[]): readonly Mount[] {
  if (mounts.length > 0) return mounts;
  throw new CleatError("INTERNAL", `snapshot ${quoteName(record.name)} has no mounts`);
}

/**
 * A layer that was unpacked already, for another namespace, is not unpacked again: told that, containerd lists what we
 * have, and takes what has the label and the parent that it asked for, durably: so one that is being committed is
 * waited for. Source: containerd v1.6.20 `metadata/snapshot.go` `createSnapshot`.
 * @throws ALREADY_EXISTS then.
 */
async function assertNotUnpacked(
  { table, records }: StoreContext,
  key: string,
  labels: Labels,
  parentId: number | undefined,
): Promise<void> {
  const named = layerNamedBy(labels);
  if (named === undefined || !isUnpackKey(key)) return;
  for (let layer = table.findLayer(named, parentId); layer !== undefined; layer = table.findLayer(named, parentId)) {
    if (records.isDurablyIndexed(layer)) {
      throw new CleatError("ALREADY_EXISTS", `layer ${quoteName(named)} is unpacked: already exists`);
    }
    await records.settled();
  }
}
