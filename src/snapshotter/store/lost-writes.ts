import { CleatError, isSystemError } from "../../errors/index.ts";
import type { Logger } from "../../transport/index.ts";
import { quoteName } from "../names-and-labels.ts";
import type { Records } from "../records/records.ts";
import type { SnapshotRecord } from "../records/record.ts";
import { SyncNotToldError } from "../sync-not-told.ts";
import { isUnpackKey } from "./snapshot-purpose.ts";

/**
 * Which snapshots may have lost what was written to them. The kernel tells of a write that failed once, to
 * whichever flush comes next, and takes the pages for written from then on: no later success says anything
 * about them, nor does it say whose they were. So a flush that fails, whoever waits for it, is every snapshot's
 * that could be written to until then, for as long as it is there. Where only another folder stood at the root
 * for a moment, it is of those that an engine may have mounted by their paths meanwhile. Source: Linux v6.1
 * `Documentation/core-api/errseq.rst`, `fs/sync.c` `syncfs`.
 */
export interface LostWrites {
  /** The storage's own, with what comes of a failure; undefined where it has none. */
  readonly sync: (() => Promise<void>) | undefined;
  /** An engine is told how to mount it. */
  told(id: number): void;
  /** @throws DATA_LOSS when something may be lost of the snapshot `name`, or of what is to be one. */
  assertNone(id: number, name: string): void;
}

/**
 * An engine that asks for mounts mounts them next; only a layer's may wait for its download. The same patience as
 * `sync-behind.ts` has.
 */
const mountPatienceMs = 15 * 60_000;

export function trackLostWrites(
  records: Records,
  making: ReadonlySet<number>,
  sync: (() => Promise<void>) | undefined,
  logger: Logger,
): LostWrites {
  /** Why, by number. Numbers are never given again, so that none has to leave. */
  const suspects = new Map<number, unknown>();
  /**
   * When an engine was told last how to mount it, by number, the oldest first and none older than the patience; an
   * earlier process may have told of others until this one began.
   */
  const toldMs = new Map<number, number>();
  const openedMs = performance.now();
  const isMarked = (id: number) => suspects.has(id) || records.byId(id)?.isSuspect === true;

  const isRecent = (ms: number) => performance.now() - ms < mountPatienceMs;
  const mayBeMountedNow = ({ id, name }: SnapshotRecord): boolean =>
    isUnpackKey(name) || isRecent(toldMs.get(id) ?? openedMs);

  const suspect = (cause: unknown) => {
    const isMeant = cause instanceof SyncNotToldError ? mayBeMountedNow : () => true;
    const written = records.all().filter((one) => one.kind === "active" && !isMarked(one.id) && isMeant(one));
    for (const id of [...making, ...written.map((record) => record.id)]) suspects.set(id, cause);
    if (written.length === 0) return;
    const what = cause instanceof SyncNotToldError ? "another folder may have been written to" : "a write failed";
    const message = `${what}: no snapshot is committed that it may be of`;
    logger.error({ err: cause, snapshots: written.length }, message);
    const put = written.map((record): SnapshotRecord => ({ ...record, isSuspect: true }));
    records.change({ put }).catch((error: unknown) => {
      logger.error({ err: error }, "could not write down which snapshots may have lost something");
    });
  };

  return {
    sync:
      sync &&
      (async () => {
        try {
          await sync();
        } catch (error) {
          if (!(error instanceof SyncNotToldError) || error.otherFolder) suspect(error);
          throw error;
        }
      }),
    told(id) {
      toldMs.delete(id);
      toldMs.set(id, performance.now());
      for (const [oldest, ms] of toldMs) {
        if (isRecent(ms)) break;
        toldMs.delete(oldest);
      }
    },
    assertNone(id, name) {
      if (!isMarked(id)) return;
      const cause = suspects.get(id);
      const why = isSystemError(cause) || cause instanceof SyncNotToldError ? `: ${cause.message}` : "";
      const message = `what was written to snapshot ${quoteName(name)} may be lost, and nothing brings it back${why}; `;
      throw new CleatError("DATA_LOSS", `${message}remove it, and unpack it again`, { cause });
    },
  };
}
