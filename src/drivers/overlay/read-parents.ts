import { existsSync, readdirSync } from "node:fs";
import { CleatError } from "../../errors/index.ts";
import type { ListedLayer } from "../../graphdriver/index.ts";
import { type Parents, readIfThere, toListedLayers } from "../../graphdriver/kit.ts";
import { isLowerPath, linksFolder, parentOf } from "./layout.ts";

/**
 * Which layers lie on which; costs a small file and a link for each. What is damaged tells nothing. Blocks; runs on a
 * worker.
 */
export function readParents(home: string): Parents {
  return readdirSync(home).flatMap((id) => {
    if (id === linksFolder) return [];
    const [first] = readIfThere(`${home}/${id}/lower`)?.split(":", 1) ?? [];
    if (first === undefined || !isLowerPath(first)) return [];
    const parent = parentIfThere(home, id, first);
    return parent === undefined ? [] : [[id, parent] as const];
  });
}

/** What there is of layers, as `exists` has it. Costs the same and a look more for each. Blocks; runs on a worker. */
export function readLayers(home: string): readonly ListedLayer[] {
  const ids = readdirSync(home).filter((id) => id !== linksFolder && existsSync(`${home}/${id}/link`));
  return toListedLayers(ids, readParents(home));
}

function parentIfThere(home: string, id: string, lower: string): string | undefined {
  try {
    return parentOf(home, { id, link: "", lowers: [lower] });
  } catch (error) {
    if (error instanceof CleatError) return undefined;
    throw error;
  }
}
