/** What every driver does with an archive that is applied. These functions run on workers. */
import { withSubject } from "../../errors/index.ts";
import { applyLayer, type ApplyOptions, type IdRanges } from "../../layer/index.ts";
import { createSyncRingReader, type Ring, type SyncRingReader } from "../../workers/index.ts";
import type { Durability } from "../driver.ts";
import { applyWithExactDiff, type KeepOptions } from "./exact-diff.ts";

/** What every driver's job is told of how to apply a diff. */
export interface ApplyDiffOptions {
  readonly ids: IdRanges;
  readonly durability: Durability;
  /** Whether to keep what the archive was. */
  readonly exactDiffs: boolean;
}

/**
 * Gives `apply` the archive in `ring`, and lets go of whatever it leaves there; errors name the layer. The number that `apply`
 * gives back: how many bytes of content came.
 */
export async function applyArchive(
  ring: Ring,
  id: string,
  apply: (source: SyncRingReader) => Promise<number>,
): Promise<number> {
  const source = createSyncRingReader(ring);
  try {
    return await apply(source);
  } catch (error) {
    throw withSubject(error, `layer "${id}"`);
  } finally {
    source.leave();
  }
}

/**
 * Unpacks an archive into an open folder and, where told where, keeps what the archive was; syncing both is the caller's. The
 * number of bytes of content. Blocks, but for the event loop of its worker.
 */
export async function unpackDiff(
  source: SyncRingReader,
  tree: number,
  options: ApplyOptions,
  keep: KeepOptions | undefined,
): Promise<number> {
  return keep === undefined ? applyLayer(source, tree, options) : applyWithExactDiff(source, tree, options, keep);
}
