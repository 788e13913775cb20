/** What every driver does with an archive that is applied. These functions run on workers. */
import { withSubject } from "../../errors/index.ts";
import { applyLayer, type ApplyOptions, type IdRanges } from "../../layer/index.ts";
import { createSyncRingReader, type Ring, type SyncRingReader } from "../../workers/index.ts";
import type { Durability } from "../driver-factory.ts";
import { type AppliedDiff, createLeftOut } from "./left-out.ts";
import { applyWithExactDiff, type KeepOptions } from "./exact-diff.ts";

/** What every driver's job is told of how to apply a diff. */
export interface ApplyDiffOptions {
  readonly ids: IdRanges;
  readonly durability: Durability;
  /** Whether to keep what the archive was. */
  readonly exactDiffs: boolean;
  /** Whether an extended attribute that cannot be held here is an error. */
  readonly strictAttributes: boolean;
}

/**
 * Gives `apply` the archive in `ring`, and lets go of whatever it leaves there; errors name the layer.
 */
export async function applyArchive<Applied>(
  ring: Ring,
  id: string,
  apply: (source: SyncRingReader) => Promise<Applied>,
): Promise<Applied> {
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
 * Unpacks an archive into an open folder and, where told where, keeps what the archive was; syncing both is the
 * caller's. Blocks, but for the event loop of its worker.
 */
export async function unpackDiff(
  source: SyncRingReader,
  tree: number,
  { strictAttributes, ...unpackOptions }: ApplyOptions & Pick<ApplyDiffOptions, "strictAttributes">,
  keep: KeepOptions | undefined,
): Promise<AppliedDiff> {
  const leftOut = createLeftOut();
  const options = strictAttributes ? unpackOptions : { ...unpackOptions, leaveOut: leftOut.add };
  const sizeBytes =
    keep === undefined ? applyLayer(source, tree, options) : await applyWithExactDiff(source, tree, options, keep);
  return { sizeBytes, leftOut: leftOut.all() };
}
