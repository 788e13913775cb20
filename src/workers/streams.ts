import { Readable } from "node:stream";
import { createAsyncRingReader, createAsyncRingWriter, type Ring } from "./ring.ts";

/**
 * Pours a stream into a ring that `job` empties, and gives back what the job makes of it, always after the job has ended. A
 * stream that fails makes the job fail, and its error is the one that is thrown; a job that fails is reported at once,
 * however silent the source is, which is let go at its next bytes.
 */
export async function pour<T>(source: AsyncIterable<Uint8Array>, ring: Ring, job: Promise<T>): Promise<T> {
  // A job that never started cannot leave the ring itself.
  job.catch(() => createAsyncRingReader(ring).leave());
  const cuts: unknown[] = [];
  const poured = pourAll(source, ring).catch((error: unknown) => cuts.push(error));
  try {
    const value = await job;
    await poured;
    return value;
  } catch (error) {
    throw cuts.length > 0 ? cuts[0] : error;
  }
}

async function pourAll(source: AsyncIterable<Uint8Array>, ring: Ring): Promise<void> {
  const writer = createAsyncRingWriter(ring);
  try {
    for await (const bytes of source) {
      if (!(await writer.write(bytes))) return;
    }
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/**
 * What a job writes into a ring, as a stream. It ends when the job has ended well; a job that fails destroys it with the
 * job's error. Destroying the stream makes the job's next write fail.
 */
export function drain(ring: Ring, job: Promise<unknown>): Readable {
  const reader = createAsyncRingReader(ring);
  const outcome = job.then(
    () => undefined,
    (error: Error) => {
      // A job that never started, or whose thread died, cannot end the ring itself.
      createAsyncRingWriter(ring).abort();
      return error;
    },
  );

  async function pushNext(stream: Readable): Promise<void> {
    try {
      const bytes = await reader.read();
      if (bytes !== undefined) stream.push(bytes);
      else endWith(stream, await outcome);
    } catch (error) {
      stream.destroy((await outcome) ?? (error as Error));
    }
  }

  async function waitForJob(done: () => void): Promise<void> {
    await outcome;
    done();
  }

  return new Readable({
    highWaterMark: 64 * 1024,
    read() {
      void pushNext(this);
    },
    destroy(error, done) {
      reader.leave();
      void waitForJob(() => done(error));
    },
  });
}

function endWith(stream: Readable, error: Error | undefined): void {
  if (error === undefined) stream.push(null);
  else stream.destroy(error);
}
