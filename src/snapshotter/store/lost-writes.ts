import { CleatError, isSystemError } from "../../errors/index.ts";
import type { Logger } from "../../transport/index.ts";
import { quoteName } from "../names-and-labels.ts";
import type { Records } from "../records/records.ts";
import type { SnapshotRecord } from "../records/record.ts";

/**
 * Which snapshots may have lost what was written to them. The kernel tells of a write that failed once, to whichever
 * flush comes next, and takes the pages for written from then on: no later success says anything about them, nor does it
 * say whose they were. So a flush that fails, whoever waits for it, is every snapshot's that could be written to until
 * then, for as long as it is there. Source: Linux v6.1 `Documentation/core-api/errseq.rst`, `fs/sync.c` `syncfs`.
 */
export interface LostWrites {
  /** The storage's own, with what comes of a failure; undefined where it has none. */
  readonly sync: (() => Promise<void>) | undefined;
  /** @throws DATA_LOSS when something may be lost of the snapshot `name`, or of what is to be one. */
  assertNone(id: number, name: string): void;
}

export function trackLostWrites(
  records: Records,
  making: ReadonlySet<number>,
  sync: (() => Promise<void>) | undefined,
  logger: Logger,
): LostWrites {
  /** Why, by number. Numbers are never given again, so that none has to leave. */
  const suspects = new Map<number, unknown>();
  const isMarked = (id: number) => suspects.has(id) || records.byId(id)?.isSuspect === true;

  const suspectAll = (cause: unknown) => {
    const written = records.all().filter(({ id, kind }) => kind === "active" && !isMarked(id));
    for (const id of [...making, ...written.map((record) => record.id)]) suspects.set(id, cause);
    if (written.length === 0) return;
    logger.error(
      { err: cause, snapshots: written.length },
      "a write failed: no snapshot is committed that it may be of",
    );
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
          suspectAll(error);
          throw error;
        }
      }),
    assertNone(id, name) {
      if (!isMarked(id)) return;
      const cause = suspects.get(id);
      const why = isSystemError(cause) ? `: ${cause.message}` : "";
      const message = `what was written to snapshot ${quoteName(name)} may be lost, and nothing brings it back${why}; `;
      throw new CleatError("DATA_LOSS", `${message}remove it, and unpack it again`, { cause });
    },
  };
}
