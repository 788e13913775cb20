import { toCleatError } from "../../errors/index.ts";
import { type Logger, silentLogger } from "../../transport/index.ts";
import {
  type HighWaterMark,
  type JournalFiles,
  lockFolder,
  openHighWaterMark,
  openJournalFiles,
  type WarnOfMark,
} from "../../state/kit.ts";
import { openRecords, parentsFirst, type Records } from "../records/records.ts";
import type { SnapshotStorage } from "../snapshot-storage.ts";
import type { Snapshotter } from "../snapshotter.ts";
import { createSnapshotter } from "./create-snapshotter.ts";
import { reconcile } from "./reconcile.ts";
import { hasOwnPlace, layerIndexOf } from "./snapshot-table.ts";
import { createStoreContext } from "./store-context.ts";

/** A backup that is older by less, and brought back after a kill, is told from the records by nothing. */
const markEveryMs = 10;

export interface OpenSnapshotterOptions {
  /** Absolute path of a folder for the records, which is made. No other process may have it open. */
  readonly root: string;
  /** Closed with the snapshotter. */
  readonly storage: SnapshotStorage;
  /**
   * Whether a place that was made has to be on the disk when its record is. Without, a commit waits for its own record
   * alone, and not for what others have written meanwhile; after a power loss a snapshot of the last seconds may be
   * gone. Default true.
   */
  readonly flushesPlaces?: boolean;
  /**
   * Absolute path of a file outside of `root`, made in a folder that is there, that tells how far the records have
   * come. Older ones that a backup brings back in their place alone are refused then; without it, only where a place
   * has a higher number than they have set aside.
   */
  readonly markFile?: string;
  readonly logger?: Logger;
}

/**
 * Opens a snapshotter over a storage. What the records and the storage do not agree about is settled: places without a
 * record are deleted behind; a record without a place is no snapshot any more, and may be removed.
 * @throws FAILED_PRECONDITION when another process has it open, or places are there and the records are not.
 * @throws DATA_LOSS when the records are damaged, or older than the places. The storage is not closed then.
 */
export async function openSnapshotter(options: OpenSnapshotterOptions): Promise<Snapshotter> {
  try {
    return await openInRoot(options);
  } catch (error) {
    throw toCleatError(error, `snapshots of "${options.root}" cannot be opened`);
  }
}

async function openInRoot(options: OpenSnapshotterOptions): Promise<Snapshotter> {
  const { root, storage, flushesPlaces = true, markFile, logger = silentLogger } = options;
  const files = await openJournalFiles(root, { prefilled: !flushesPlaces });
  let lock: Awaited<ReturnType<typeof lockFolder>> | undefined;
  let mark: HighWaterMark | undefined;
  try {
    lock = await lockFolder(root, "snapshots");
    const warn: WarnOfMark = (err, file, message) => logger.warn({ err, file }, message);
    mark = markFile === undefined ? undefined : await openHighWaterMark(markFile, warn, { everyMs: markEveryMs });
    return await openOverFiles(files, storage, { logger, release: lock.release, mark });
  } catch (error) {
    await lock?.release();
    await files.close();
    await mark?.close();
    throw error;
  }
}

export interface OverFilesOptions {
  readonly logger?: Logger;
  /** Called at the end of `close`. */
  readonly release?: () => Promise<void>;
  /** Closed with the snapshotter. */
  readonly mark?: HighWaterMark | undefined;
}

/** As `openSnapshotter`, over any disk. @internal */
export async function openOverFiles(
  files: JournalFiles,
  storage: SnapshotStorage,
  { logger = silentLogger, release = async () => {}, mark }: OverFilesOptions = {},
): Promise<Snapshotter> {
  const found = await storage.list();
  const highest = found.reduce((most, { id }) => Math.max(most, id), 0);
  const records = await openRecords(files, { usedId: highest, indexOf: layerIndexOf, mark });
  if (records.tornBytes > 0)
    logger.warn({ bytes: records.tornBytes }, "a change that was never acknowledged was cut off");
  try {
    const places = (await mend(records, storage, logger)) ? await storage.list() : found;
    const missing = await reconcile(records, places, storage, logger);
    return createSnapshotter(createStoreContext(records, missing, storage, logger), release);
  } catch (error) {
    await records.close();
    throw error;
  }
}

/** Before anybody reads a place. Returns whether there was anything to mend. */
async function mend(records: Records, storage: SnapshotStorage, logger: Logger): Promise<boolean> {
  if (storage.mend === undefined) return false;
  const own = parentsFirst(records.all()).filter(hasOwnPlace);
  const mended = await storage.mend(own.map(({ id, parentId }) => ({ id, parentId })));
  const snapshots = mended.map((id) => records.byId(id)?.name);
  if (mended.length > 0) logger.info({ snapshots }, "mended what the machine left of snapshots when it went down");
  return mended.length > 0;
}
