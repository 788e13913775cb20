import type { DescribedLayer, StoreDescription } from "../../layerstore/index.ts";
import type { DiskUsage } from "../../layer/index.ts";

/** A store, with what its layers take of the disk where that was counted. */
export interface StoreReport {
  readonly store: StoreDescription;
  /** By layer; `undefined` without `--du`. */
  readonly usage: ReadonlyMap<string, DiskUsage> | undefined;
}

/**
 * What `cleat layers --json` prints, version 1; `null` is what is not there, or not known:
 *
 *     { "version": 1, "stores": [ { "driver", "home", "layersHold": "diffs" or "trees", "engine": { "kind", "root" },
 *       "layers": [ { "id", "parent", "parentage", "role", "condition", "problem", "readOnly", "holds", "names",
 *                     "orphaned",
 *                     "mounts": [ { "path", "type", "elsewhere" } ],
 *                     "usage": { "apparentBytes", "allocatedBytes", "entries", "complete" } } ] } ] }
 *
 * The words are those of `SurveyedLayer` and `DescribedLayer`. Later versions of the same number only add to it.
 */
export function toJson(reports: readonly StoreReport[]): object {
  const stores = reports.map(({ store, usage }) => ({
    driver: store.driver,
    home: store.home,
    layersHold: store.layersHold,
    engine: store.engine === undefined ? null : { kind: store.engine.engine, root: store.engine.root },
    layers: store.layers.map((layer) => ({ ...layerToJson(layer), usage: usage?.get(layer.id) ?? null })),
  }));
  return { version: 1, stores };
}

function layerToJson({
  id,
  parent,
  parentage,
  role,
  condition,
  problem,
  committed,
  holds,
  names,
  orphaned,
  mounts,
}: DescribedLayer) {
  return {
    id,
    parent: parent ?? null,
    parentage,
    role,
    condition,
    problem: problem ?? null,
    readOnly: committed,
    holds,
    names,
    orphaned: orphaned ?? null,
    mounts: mounts.map(({ mountPoint, fileSystemType, elsewhere }) => ({
      path: mountPoint,
      type: fileSystemType,
      elsewhere,
    })),
  };
}

/** What all layers take together; blocks that layers share count for each. */
export function sumUsage(usage: Iterable<DiskUsage>): DiskUsage {
  const sum = { apparentBytes: 0, allocatedBytes: 0, entries: 0, complete: true };
  for (const { apparentBytes, allocatedBytes, entries, complete } of usage) {
    sum.apparentBytes += apparentBytes;
    sum.allocatedBytes += allocatedBytes;
    sum.entries += entries;
    sum.complete &&= complete;
  }
  return sum;
}
