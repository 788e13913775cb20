import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { CleatError, isDiskFull, isSystemError } from "../../errors/index.ts";
import { parentOf, readLayer } from "./layout.ts";

/** Says that a layer has a child, and is from here on mounted read-only. */
export function markCommitted(home: string, id: string): void {
  writeFileSync(`${home}/${id}/committed`, "", { mode: 0o600 });
}

/**
 * Marks the layers that have a child and do not say so: Docker before 20.10 did not mark them, and a write to one would
 * change what is above it. Costs some small reads a layer; blocks; runs on a worker.
 */
export function markParents(home: string): void {
  const layers = new Set(readdirSync(home));
  for (const id of layers) {
    const parent = parentIfReadable(home, id);
    if (parent !== undefined && layers.has(parent) && !existsSync(`${home}/${parent}/committed`)) {
      markIfRoom(home, parent);
    }
  }
}

/** A disk too full for it keeps no store shut: there is no room to write to the layer either. */
function markIfRoom(home: string, id: string): void {
  try {
    markCommitted(home, id);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}

/** What is not a layer, or a damaged one, keeps no other from being marked. */
function parentIfReadable(home: string, id: string): string | undefined {
  try {
    return parentOf(home, readLayer(home, id));
  } catch (error) {
    if (error instanceof CleatError || isSystemError(error, "ENOENT", "EINVAL")) return undefined;
    throw error;
  }
}
