/**
 * Streams that peers send, given to jobs, so that a peer who is silent costs nobody else anything.
 *
 *     a file  ───────────────────────────────────────────────►  a job for whole streams
 *     fewer than 64 KiB, ended  ─────────────────────────────►  likewise
 *     more  ─►  a place for live streams is free  ────────────►  a job that may wait for its sender
 *           ─►  all taken, by senders that move  ─► waits ────►  likewise
 *           ─►  all taken, some by senders that do not  ─► into a file, to its end  ─►  a job for whole streams
 *
 * Until a stream has sent 64 KiB or has ended it has no thread, no ring, and no place. A job that waits for its sender
 * keeps its thread, but nobody waits for it; one that has its stream whole, in memory or in a file, ends by itself, and
 * so does the wait for it. However many senders are silent, they cost 64 KiB each, no descriptor but for those who have
 * a place, and on the disk what they have sent.
 */
import { releaseAfter } from "../../errors/kit.ts";
import type { LendingSource } from "../../protocol/kit.ts";
import { createPace, type Pace } from "./peers/pace.ts";
import { feedJob } from "./feed-job.ts";
import type { JobRings } from "./job-rings.ts";
import type { Ring } from "./ring/control.ts";
import type { Slots } from "./slots.ts";
import type { Spool } from "./spool.ts";
import { readHead } from "./upload-head.ts";

/** Runs a job on what `source` sends, and gives back what the job makes of it; see `feedJob` for failures. */
export type Consume = <T>(source: LendingSource, job: (ring: Ring) => Promise<T>) => Promise<T>;

export interface ConsumerOptions {
  readonly rings: JobRings;
  /** Of jobs that may wait for their senders. */
  readonly live: Slots;
  /** Of jobs whose streams are whole. */
  readonly whole: Slots;
  /** Without it, streams wait for a place however slow those are who have one. */
  readonly createSpool: (() => Spool) | undefined;
  /** How long a sender may be silent before others no longer wait for it. */
  readonly patienceMs: number;
}

export function createConsumer({ rings, live, whole, createSpool, patienceMs }: ConsumerOptions): Consume {
  const paces = new Set<Pace>();

  const isAnySlow = (): boolean => [...paces].some((pace) => pace.isSlow(patienceMs));

  /** False where a place is not worth waiting for. */
  async function takeLivePlace(): Promise<boolean> {
    if (live.tryTake()) return true;
    if (createSpool === undefined) return live.take();
    return !isAnySlow() && live.take({ everyMs: patienceMs, isGivenUp: isAnySlow });
  }

  async function runLive<T>(bytes: LendingSource, job: (ring: Ring) => Promise<T>): Promise<T> {
    const pace = createPace();
    paces.add(pace);
    try {
      return await feedJob(bytes, job, rings, pace);
    } finally {
      paces.delete(pace);
      live.release();
    }
  }

  async function runSpooled<T>(
    bytes: AsyncIterable<Uint8Array>,
    spool: Spool,
    job: (ring: Ring) => Promise<T>,
  ): Promise<T> {
    const run = async () => {
      const rest = await spoolAll(bytes, spool);
      if (rest === undefined) return await whole.within(() => feedJob(unspool(spool), job, rings));
      // The disk is full: what came so far is followed by what comes, as soon as somebody has time for it.
      await live.take();
      return await runLive(unspool(spool, rest), job);
    };
    return await releaseAfter(run, () => spool.remove());
  }

  return async (source, job) => {
    if ((await source.isFile?.()) === true) return whole.within(() => feedJob(source, job, rings));
    const { bytes, isWhole } = await readHead(source);
    if (isWhole) return whole.within(() => feedJob(bytes, job, rings));
    if (await takeLivePlace()) return runLive(bytes, job);
    return runSpooled(bytes, (createSpool as () => Spool)(), job);
  };
}

/** Writes a stream into a file. What is left of it where the file takes no more; `undefined` where it took all. */
async function spoolAll(
  source: AsyncIterable<Uint8Array>,
  spool: Spool,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const iterator = source[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await iterator.next();
    if (done === true) return undefined;
    try {
      await spool.append(value);
    } catch {
      return startingWith(value, iterator);
    }
  }
}

async function* startingWith(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  yield first;
  yield* { [Symbol.asyncIterator]: () => rest };
}

async function* unspool(spool: Spool, rest?: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
  while (spool.unreadBytes() > 0) yield await spool.read();
  if (rest !== undefined) yield* rest;
}
