import type { Readable } from "node:stream";
import type { ModuleReference } from "../../workers/index.ts";
import type { OpenHome } from "../home/open-home.ts";
import { readExactDiff, type sendExactDiff } from "./exact-diff.ts";

/** Where a driver keeps a layer's tree (absolute), and what was kept of its archive (relative to the home). */
export interface ExactDiffPaths {
  readonly tree: string;
  readonly folder: string;
}

/**
 * The archive that the layer was filled from, if what was kept of it is there, and was applied to `parent`.
 * @throws SchemaError (DATA_LOSS) when what is recorded of it is damaged.
 */
export function streamExactDiff(
  { path, pool, locks }: OpenHome,
  worker: ModuleReference<{ sendExactDiff: typeof sendExactDiff }>,
  id: string,
  parent: string | undefined,
  { tree, folder }: ExactDiffPaths,
): Readable | undefined {
  const kept = readExactDiff(path, folder);
  if (kept === undefined || kept.parent !== (parent ?? null)) return undefined;
  const place = { id, tree, folder: `${path}/${folder}` };
  return pool.produce((ring) => locks.unlessChanged([id], () => pool.run(worker, "sendExactDiff", place, ring)));
}
