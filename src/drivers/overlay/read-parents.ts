import { readdirSync } from "node:fs";
import { CleatError } from "../../errors/index.ts";
import { type Parents, readIfThere } from "../../graphdriver/kit.ts";
import { isLowerPath, linksFolder, parentOf } from "./layout.ts";

/** Which layers lie on which; costs a small file and a link for each. What is damaged tells nothing. Blocks; runs on a worker. */
export function readParents(home: string): Parents {
  return readdirSync(home).flatMap((id) => {
    if (id === linksFolder) return [];
    const [first] = readIfThere(`${home}/${id}/lower`)?.split(":", 1) ?? [];
    if (first === undefined || !isLowerPath(first)) return [];
    const parent = parentIfThere(home, id, first);
    return parent === undefined ? [] : [[id, parent] as const];
  });
}

function parentIfThere(home: string, id: string, lower: string): string | undefined {
  try {
    return parentOf(home, { id, link: "", lowers: [lower] });
  } catch (error) {
    if (error instanceof CleatError) return undefined;
    throw error;
  }
}
