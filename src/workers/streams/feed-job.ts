import type { LendingSource } from "../../protocol/kit.ts";
import type { JobRings } from "./job-rings.ts";
import { type JobOver, lendTo } from "./loans/loan.ts";
import type { Pace } from "./peers/pace.ts";
import { type AsyncRingWriter, createAsyncRingReader, createAsyncRingWriter } from "./ring/async-ends.ts";
import type { Ring } from "./ring/control.ts";

/**
 * Writes a stream into a ring that a job empties, or lends the job what the stream comes from, and gives back what the
 * job makes of it, always after the job has ended. A stream that fails makes the job fail, and its error is the one
 * that is thrown; a job that fails is reported at once, however silent the source is, which is let go at its next
 * bytes.
 */
export async function feedJob<T>(
  source: LendingSource,
  job: (ring: Ring) => Promise<T>,
  rings: JobRings,
  pace?: Pace,
): Promise<T> {
  const ring = rings.take();
  const cuts: unknown[] = [];
  const ended = job(ring);
  const settled = ended.then(
    () => true,
    (error: unknown) => {
      createAsyncRingReader(ring).leave(); // what a job that never started cannot do itself
      return rings.isIntactAfter(error);
    },
  );
  const feed: Feed = { source, ring, over: settled, pace, cuts };
  const written = writeAll(feed).catch((error: unknown) => void cuts.push(error));
  // The source may have its next bytes long after a job that failed, and its writer then still looks at the ring.
  void Promise.all([settled, written]).then(([isIntact]) => isIntact && rings.giveBack(ring));
  try {
    const value = await ended;
    await written;
    return value;
  } catch (error) {
    throw cuts.length > 0 ? cuts[0] : error;
  }
}

interface Feed {
  readonly source: LendingSource;
  readonly ring: Ring;
  readonly over: JobOver;
  readonly pace: Pace | undefined;
  /** Why the stream ended early. */
  readonly cuts: unknown[];
}

async function writeAll(feed: Feed): Promise<void> {
  const { source, ring, pace } = feed;
  const writer = createAsyncRingWriter(ring);
  try {
    let wasLent = await lend(feed, writer);
    for await (const bytes of source) {
      pace?.received(bytes.length);
      const startMs = performance.now();
      if (!(await writer.write(bytes))) return;
      pace?.held(performance.now() - startMs);
      wasLent ||= await lend(feed, writer);
    }
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/** Lends the job what the stream comes from, until it comes back; false where it is not to be had now. */
async function lend({ source, ring, over, pace, cuts }: Feed, writer: AsyncRingWriter): Promise<boolean> {
  if (source.lend === undefined) return false;
  let wasCut = false;
  const wasLent = await source.lend(async (loan) => {
    const cut = (error: Error): void => {
      if (!wasCut) cuts.push(error);
      wasCut = true;
      writer.abort();
    };
    const onBorrowed: typeof loan.onBorrowed = (borrower) => {
      pace?.watch(borrower);
      loan.onBorrowed(borrower);
    };
    try {
      return await lendTo(ring, writer, { ...loan, onBorrowed }, over, cut);
    } finally {
      pace?.watch(undefined);
    }
  });
  if (wasCut) throw cuts[0];
  return wasLent;
}
