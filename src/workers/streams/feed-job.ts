import type { JobRings } from "./job-rings.ts";
import type { Pace } from "./pace.ts";
import { createAsyncRingReader, createAsyncRingWriter, type Ring } from "./ring.ts";

/**
 * Writes a stream into a ring that a job empties, and gives back what the job makes of it, always after the job has
 * ended. A stream that fails makes the job fail, and its error is the one that is thrown; a job that fails is reported
 * at once, however silent the source is, which is let go at its next bytes.
 */
export async function feedJob<T>(
  source: AsyncIterable<Uint8Array>,
  job: (ring: Ring) => Promise<T>,
  rings: JobRings,
  pace?: Pace,
): Promise<T> {
  const ring = rings.take();
  const cuts: unknown[] = [];
  const written = writeAll(source, ring, pace).catch((error: unknown) => void cuts.push(error));
  const ended = job(ring);
  const settled = ended.then(
    () => true,
    (error: unknown) => {
      createAsyncRingReader(ring).leave(); // what a job that never started cannot do itself
      return rings.isIntactAfter(error);
    },
  );
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

async function writeAll(source: AsyncIterable<Uint8Array>, ring: Ring, pace: Pace | undefined): Promise<void> {
  const writer = createAsyncRingWriter(ring);
  try {
    for await (const bytes of source) {
      pace?.received(bytes.length);
      const startMs = performance.now();
      if (!(await writer.write(bytes))) return;
      pace?.held(performance.now() - startMs);
    }
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
}
