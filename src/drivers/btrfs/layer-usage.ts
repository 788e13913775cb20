import { usageBeyond, withFolderAt } from "../../layer/index.ts";
import { isThere } from "../../syscall/index.ts";
import type { LayerUsage } from "../../graphdriver/index.ts";
import { readLayerRecord, usageOfTree, usageWith } from "../../graphdriver/job-kit.ts";
import { layerPath } from "./layout.ts";
import { readParents } from "./survey.ts";

/**
 * What a layer takes beyond its parent, of which it is a snapshot; all of it where there is none any more, for then it
 * keeps what it shared. Blocks; runs on a worker.
 */
export function usageOfLayer(home: string, id: string): LayerUsage {
  const tree = layerPath(home, id);
  const parent = parentOf(home, id);
  if (parent === undefined || !isThere(layerPath(home, parent))) return usageOfTree(tree);
  return usageWith(() =>
    withFolderAt(tree, (newer) => withFolderAt(layerPath(home, parent), (older) => usageBeyond(newer, older))),
  );
}

/** Of a layer of Docker's own driver only the kernel tells, by a look at all. */
function parentOf(home: string, id: string): string | undefined {
  const recorded = readLayerRecord(home, id);
  if (recorded !== undefined) return recorded.parent ?? undefined;
  return readParents(home).find(([child]) => child === id)?.[1];
}
