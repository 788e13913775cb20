import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";

import { CleatError } from "../errors/index.ts";
import { createAsyncRingReader, createAsyncRingWriter, createRing, drain, pour, type Ring } from "./index.ts";

const neverStarted = () => Promise.reject(new CleatError("RESOURCE_EXHAUSTED", "worker pool is busy"));

/** A job as a worker would run it, on this thread. */
async function readJob(ring: Ring): Promise<number> {
  const reader = createAsyncRingReader(ring);
  let sizeBytes = 0;
  for (let bytes = await reader.read(); bytes !== undefined; bytes = await reader.read()) sizeBytes += bytes.length;
  return sizeBytes;
}

describe("pouring a stream into a job", () => {
  it("gives back what the job makes of it", async () => {
    const ring = createRing(16);
    const source = Readable.from([Buffer.alloc(100), Buffer.alloc(0), Buffer.alloc(23)]);
    expect(await pour(source, ring, readJob(ring))).toBe(123);
  });

  it("reports a job that failed at once, however silent the source is", async () => {
    const silent: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
    await expect(pour(silent, createRing(16), neverStarted())).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  });

  it("waits for the job also when the stream has failed", async () => {
    let done = false;
    const failing = Readable.from([Buffer.alloc(5)]).map(() => Promise.reject(new CleatError("UNAVAILABLE", "gone")));
    const ring = createRing(16);
    const job = readJob(ring).finally(
      () => new Promise<void>((resolve) => setImmediate(() => resolve(void (done = true)))),
    );
    await expect(pour(failing, ring, job)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(done).toBe(true);
  });

  it("throws what the stream failed with, not what that does to the job", async () => {
    const ring = createRing(16);
    const source = (async function* () {
      yield Buffer.alloc(5);
      throw new CleatError("UNAVAILABLE", "peer is gone");
    })();
    await expect(pour(source, ring, readJob(ring))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("stops where the job fails, and where it never started", async () => {
    const ring = createRing(16);
    const endless = (async function* () {
      for (;;) yield Buffer.alloc(8);
    })();
    await expect(pour(endless, ring, neverStarted())).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  });
});

describe("draining a job as a stream", () => {
  async function writeJob(ring: Ring, failure?: Error): Promise<void> {
    const writer = createAsyncRingWriter(ring);
    for (let count = 0; count < 10; count++) {
      if (!(await writer.write(Buffer.alloc(100)))) throw new CleatError("CANCELLED", "nobody reads");
    }
    if (failure === undefined) return writer.finish();
    writer.abort();
    throw failure;
  }

  it("ends after all bytes", async () => {
    const ring = createRing(64);
    expect(await buffer(drain(ring, writeJob(ring)))).toHaveLength(1000);
  });

  it("fails with the job's error", async () => {
    const ring = createRing(64);
    const failure = new CleatError("ABORTED", "file became shorter");
    await expect(buffer(drain(ring, writeJob(ring, failure)))).rejects.toBe(failure);
  });

  it("fails, instead of waiting for ever, where the job never started or its thread died", async () => {
    await expect(buffer(drain(createRing(64), neverStarted()))).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  });

  it("makes the job fail when nobody reads any more", async () => {
    const ring = createRing(64);
    const job = writeJob(ring);
    drain(ring, job).destroy();
    await expect(job).rejects.toMatchObject({ code: "CANCELLED" });
  });
});
