/** What applying a diff is to every driver. These functions run on workers. */
import { withSubject } from "../../errors/index.ts";
import type { IdRanges } from "../../layer/index.ts";
import { createSyncRingReader, type Ring, type SyncRingReader } from "../../workers/index.ts";
import type { Durability } from "../driver.ts";

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
