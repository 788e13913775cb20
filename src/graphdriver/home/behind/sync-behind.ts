import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "../../../transport/index.ts";

/**
 * Writes to the disk what is being unpacked, so that the flush at its end, for which the engine waits, has little left
 * to write.
 */
export interface SyncBehind {
  /** Somebody unpacks into a layer from now on. */
  begin(id: number): void;
  /** Nobody does any more. */
  end(id: number): void;
  /** Waits for what runs. */
  close(): Promise<void>;
}

/**
 * Before the first, and between the end of one and the next: a layer of a few thousand files is unpacked in half a
 * second, and what is not written by then is left to the end.
 */
const minPauseMs = 100;
/** A disk for which that is much has longer pauses, twice what the last one took, but none in which much gathers. */
const maxPauseMs = 1_000;
/** So long one takes that has nothing to write: the engine is still downloading, and others have the disk meanwhile. */
const idleMs = 5;
/** An engine that was killed leaves a snapshot that nobody unpacks into, and nobody removes for long. */
const patienceMs = 15 * 60_000;

export function syncBehind(sync: (() => Promise<void>) | undefined, logger: Logger): SyncBehind {
  const begunMs = new Map<number, number>();
  const closed = new AbortController();
  let working: Promise<void> | undefined;

  const work = async (run: () => Promise<void>) => {
    let pauseMs = minPauseMs;
    while (begunMs.size > 0) {
      await pause(pauseMs, undefined, { signal: closed.signal, ref: false }).catch(() => {});
      if (closed.signal.aborted) return;
      if (begunMs.size === 0) break;
      const startedMs = performance.now();
      // Nobody waits for it. The flush at the end tells of the failure, too, on a descriptor of its own that was opened
      // before; or somebody keeps account of it, as `lost-writes.ts` does.
      await run().catch((error: unknown) => logger.warn({ err: error }, "could not write behind what is unpacked"));
      const now = performance.now();
      pauseMs = pauseAfter(now - startedMs);
      for (const [id, begun] of begunMs) if (now - begun > patienceMs) begunMs.delete(id);
    }
    working = undefined;
  };

  return {
    begin(id) {
      if (sync === undefined) return;
      begunMs.set(id, performance.now());
      working ??= work(sync);
    },
    end: (id) => void begunMs.delete(id),
    async close() {
      closed.abort();
      await working;
    },
  };
}

function pauseAfter(tookMs: number): number {
  return tookMs < idleMs ? maxPauseMs : Math.min(Math.max(minPauseMs, 2 * tookMs), maxPauseMs);
}
