import type { ListedLayer } from "../driver.ts";
import { roleOf } from "../survey.ts";
import type { Parents } from "./lineage.ts";

/** What `GraphDriver.list` tells of the layers `ids`, given what lies on what; sorted by id. */
export function toListedLayers(ids: readonly string[], parents: Parents): readonly ListedLayer[] {
  const parentOf = new Map(parents);
  const below = new Set(parentOf.values());
  return ids.toSorted().map((id) => {
    const parent = parentOf.get(id);
    return { id, parent, kind: roleOf(id, parent, below.has(id)) };
  });
}

/** `GraphDriver.list` of a driver that reads all of them at once. */
export async function* listLayers(read: () => Promise<readonly ListedLayer[]>): AsyncGenerator<ListedLayer, undefined> {
  yield* await read();
}
