/**
 * What jobs write, as streams, so that a peer who does not read costs nobody else anything: when others wait for a
 * place and a reader lets its job wait, what that job still writes goes into a file, the job ends, and the reader is
 * served from the file, as slowly as it likes. A reader who has a descriptor for it gets all from the job itself.
 */
import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { CleatError } from "../../errors/index.ts";
import type { ChunkVisiting, DescriptorWriting } from "../../protocol/kit.ts";
import { createDelivery } from "./delivery.ts";
import { createHandOver, type HandOver } from "./hand-over.ts";
import type { JobRings } from "./job-rings.ts";
import type { Outlet } from "./loans/outlet.ts";
import { createAsyncRingReader, createAsyncRingWriter } from "./ring/async-ends.ts";
import type { Ring } from "./ring/control.ts";
import type { Slots } from "./slots.ts";
import { undoPatienceMs } from "./peers/patience.ts";
import type { Spool } from "./spool.ts";
import { createVisiting, type Visiting } from "./visiting.ts";

/**
 * What a job writes into a ring, as a stream, which ends when the job has ended well; a job that fails destroys it with
 * the job's error, after all that was written. Destroying the stream makes the job's next write fail, or keeps the job
 * from starting. `release` runs once, when the job is over or will not be; the stream closes after it, but for one that
 * its caller has given up (CANCELLED, DEADLINE_EXCEEDED), who is not kept waiting by a job that reads from a slow disk.
 */
export type Produce = (job: (ring: Ring) => Promise<unknown>, release?: () => Promise<void>) => ProducedStream;

export type ProducedStream = Readable & DescriptorWriting & ChunkVisiting;

export interface ProducerOptions {
  readonly rings: JobRings;
  readonly slots: Slots;
  /** Without it, streams wait for a place however slow those are read that have one. */
  readonly createSpool: (() => Spool) | undefined;
  /** How long a job is waited for whose stream is not read. */
  readonly patienceMs: number;
}

export function createProducer({ rings, slots, createSpool, patienceMs }: ProducerOptions): Produce {
  const running = new Set<Produced>();

  async function takePlace(): Promise<void> {
    const wait = { everyMs: patienceMs, isGivenUp: spoolStalled };
    await slots.take(createSpool === undefined ? undefined : wait);
  }

  function spoolStalled(): boolean {
    for (const { handOver, outlet } of running) {
      if (Math.max(handOver.stalledMs(), outlet.stalledMs()) < patienceMs) continue;
      outlet.recall();
      handOver.spool();
    }
    return false;
  }

  /** Runs the job and hands over what it writes. Never rejects. */
  async function run(
    job: (ring: Ring) => Promise<unknown>,
    produced: Produced,
    isWanted: () => boolean,
  ): Promise<void> {
    const { handOver, outlet } = produced;
    await takePlace();
    if (!isWanted()) return slots.release();
    running.add(produced);
    const ring = rings.take();
    let isIntact = true;
    const failure = job(ring).then(
      () => createAsyncRingWriter(ring).finish(),
      (error: Error) => {
        isIntact = rings.isIntactAfter(error);
        createAsyncRingWriter(ring).abort(); // what a job that never started, or whose thread died, cannot do itself
        return error;
      },
    );
    outlet.begin(ring, failure);
    await handOverAll(ring, produced);
    const error = (await failure) ?? undefined;
    outlet.end();
    if (isIntact) rings.giveBack(ring);
    running.delete(produced);
    slots.release();
    handOver.end(error);
  }

  return (job, release = async () => {}) => {
    const handOver = createHandOver(createSpool as () => Spool);
    const delivery = createDelivery(() => stream);
    const { outlet } = delivery;
    const over = run(job, { handOver, outlet, handed: delivery.handed }, () => !stream.destroyed).then(release);
    over.catch((error: Error) => handOver.end(error));
    const visiting: Visiting = createVisiting(() => stream, handOver, over);
    const stream: Readable = new Readable({
      highWaterMark: 64 * 1024,
      read() {
        if (!visiting.isBegun()) void pushNext(stream, handOver, over);
      },
      destroy(error, done) {
        outlet.close();
        void closeAll(handOver, over, error, done);
      },
    });
    return Object.assign(stream, {
      writeTo: delivery.writeTo,
      visitChunks: visiting.visitChunks,
      silentMs: () => visiting.silentMs() ?? delivery.silentMs(),
    });
  };
}

/** What one job writes, on its way. */
interface Produced {
  readonly handOver: HandOver;
  readonly outlet: Outlet;
  /** Is told of all that is handed over. */
  handed(sizeBytes: number): void;
}

/** Until the job has written all, or nobody reads any more. */
async function handOverAll(ring: Ring, { handOver, outlet, handed }: Produced): Promise<void> {
  const reader = createAsyncRingReader(ring);
  try {
    for (let bytes = await reader.read(); bytes !== undefined; bytes = await reader.read()) {
      handed(bytes.length);
      const isRead = bytes.length === 0 ? await outlet.stand() : await handOver.offer(bytes);
      if (!isRead) break;
    }
  } catch (error) {
    if (!(error instanceof CleatError)) throw error; // it broke off, and its own error says why
  } finally {
    reader.leave();
  }
}

async function pushNext(stream: Readable, handOver: HandOver, over: Promise<void>): Promise<void> {
  try {
    const bytes = await handOver.take((piece) => new Uint8Array(piece));
    if (bytes === undefined) await over;
    stream.push(bytes ?? null);
  } catch (error) {
    stream.destroy(error as Error);
  }
}

function isGivenUp(error: Error | null): boolean {
  return error instanceof CleatError && (error.code === "CANCELLED" || error.code === "DEADLINE_EXCEEDED");
}

async function closeAll(
  handOver: HandOver,
  over: Promise<void>,
  error: Error | null,
  done: (error: Error | null) => void,
): Promise<void> {
  let failure: Error | null = null;
  try {
    await handOver.close();
    await (isGivenUp(error) ? Promise.race([over, pause(undoPatienceMs, undefined, { ref: false })]) : over);
  } catch (reason) {
    failure = reason as Error;
  }
  done(error ?? failure);
}
