import { CleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import type { Logger } from "../../transport/index.ts";
import type { Records } from "../records/records.ts";
import type { Usage } from "../snapshotter.ts";
import type { SnapshotStorage } from "../snapshot-storage.ts";

/** Measures committed snapshots, which takes a walk of each: once, and not while an engine waits for the commit. */
export interface Measuring {
  /** Behind whatever else is measured. */
  later(id: number): void;
  /** At once; two who ask for the same share the walk, and none of them alone can give it up. */
  now(id: number, call?: CallOptions): Promise<Usage>;
  /** Gives up what is measured. */
  close(): Promise<void>;
}

export function measureBehind(records: Records, storage: SnapshotStorage, logger: Logger): Measuring {
  const running = new Map<number, Promise<Usage>>();
  const waiting = new Set<number>();
  const closed = new AbortController();
  let working: Promise<void> | undefined;

  const walk = async (id: number): Promise<Usage> => {
    const record = records.byId(id);
    if (record === undefined) throw new CleatError("NOT_FOUND", "it was removed meanwhile: not found");
    const usage = await storage.usage(id, { signal: closed.signal });
    const latest = records.byId(id);
    if (latest !== undefined) records.changeBehind({ put: [{ ...latest, usage }] });
    return usage;
  };
  const measure = (id: number): Promise<Usage> => {
    const known = running.get(id);
    if (known !== undefined) return known;
    const started = walk(id).finally(() => running.delete(id));
    running.set(id, started);
    return started;
  };
  const work = async () => {
    // What is added meanwhile comes in its turn.
    for (const id of waiting) {
      waiting.delete(id);
      if (closed.signal.aborted || records.byId(id)?.usage !== undefined) continue;
      await measure(id).catch((error: unknown) => {
        const name = records.byId(id)?.name;
        if (closed.signal.aborted || name === undefined) return;
        logger.warn({ err: error, id, snapshot: name }, "could not measure a snapshot");
      });
    }
    working = undefined;
  };

  return {
    later(id) {
      waiting.add(id);
      working ??= work();
    },
    async now(id, call) {
      const usage = measure(id);
      const { signal } = call ?? {};
      if (signal === undefined) return usage;
      signal.throwIfAborted();
      const given = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      });
      return Promise.race([usage, given]);
    },
    async close() {
      closed.abort();
      waiting.clear();
      await Promise.allSettled([working, ...running.values()]);
    },
  };
}
