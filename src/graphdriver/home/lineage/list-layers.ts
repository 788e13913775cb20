import type { ListedLayer } from "../../driver.ts";
import { roleOf } from "../../survey.ts";
import type { Parents } from "./relations.ts";

/**
 * What `GraphDriver.list` tells of the layers `ids`, sorted by id, given what lies on what; `unreadable` says of some
 * why they cannot be read.
 */
export function toListedLayers(
  ids: readonly string[],
  parents: Parents,
  unreadable: ReadonlyMap<string, string> = new Map(),
): readonly ListedLayer[] {
  const parentOf = new Map(parents);
  const below = new Set(parentOf.values());
  return ids.toSorted().map((id) => {
    const parent = parentOf.get(id);
    const isUnread = parent === undefined && parentOf.has(id);
    const problem = unreadable.get(id) ?? (isUnread ? "what it lies on cannot be read" : undefined);
    const layer = { id, parent, kind: roleOf(id, parent, below.has(id)) };
    return problem === undefined ? layer : { ...layer, unreadable: problem };
  });
}

/** `GraphDriver.list` of a driver that reads all of them at once. */
export async function* listLayers(read: () => Promise<readonly ListedLayer[]>): AsyncGenerator<ListedLayer, undefined> {
  yield* await read();
}
