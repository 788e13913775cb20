import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import {
  expected,
  manyPieces,
  neverStarted,
  openStreams,
  type StreamsOptions,
  writeJob,
} from "./streams.test.support.ts";

let streams: ReturnType<typeof openStreams>;
const open = (options?: StreamsOptions) => (streams = openStreams(options));
afterEach(() => streams.close());

/** Keeps copies of what it is shown. */
function createKeeper() {
  const kept: Buffer[] = [];
  return { keep: (chunk: Uint8Array) => void kept.push(Buffer.from(chunk)), all: () => Buffer.concat(kept) };
}

describe("what a job writes, shown where it lies", () => {
  it("is all of it, in shared memory, and over when what it needed is released", async () => {
    const { produce } = open();
    const { keep, all } = createKeeper();
    let released = 0;
    const job = produce(
      (ring) => writeJob(ring, manyPieces),
      async () => void released++,
    );
    const memory: unknown[] = [];
    await job.visitChunks((chunk) => {
      memory.push(chunk.buffer.constructor);
      keep(chunk);
    });
    expect(all().equals(expected(manyPieces))).toBe(true);
    // Of the first chunk a copy, as the visitor might return a promise.
    expect(new Set(memory.slice(1))).toEqual(new Set([SharedArrayBuffer]));
    expect({ released, isClosed: job.closed, hasEnded: job.readableEnded }).toEqual({
      released: 1,
      isClosed: true,
      hasEnded: true,
    });
  });

  it("comes no faster than the visitor lets it", async () => {
    const { produce } = open();
    const { keep, all } = createKeeper();
    let running = 0;
    await produce((ring) => writeJob(ring, manyPieces)).visitChunks(async (chunk) => {
      expect(++running).toBe(1);
      keep(chunk);
      await pause(1);
      running--;
    });
    expect(all().equals(expected(manyPieces))).toBe(true);
  });

  it.each([
    ["each chunk", () => true],
    ["every other chunk", (at: number) => at % 2 === 1],
    ["one chunk", (at: number) => at === 3],
  ])("stays what it is while the visitor takes its time with %s", async (_, isLater) => {
    const { produce } = open();
    const seen: Buffer[] = [];
    let at = 0;
    const keepLater = async (chunk: Uint8Array): Promise<void> => {
      await pause(5);
      seen.push(Buffer.from(chunk));
    };
    await produce((ring) => writeJob(ring, manyPieces)).visitChunks((chunk) => {
      if (isLater(at++)) return keepLater(chunk);
      return void seen.push(Buffer.from(chunk));
    });
    expect(Buffer.concat(seen).equals(expected(manyPieces))).toBe(true);
  });

  it("fails with the job's error, after what was written, and where the job never started", async () => {
    const { produce } = open();
    const { keep, all } = createKeeper();
    const failure = new CleatError("ABORTED", "file became shorter");
    await expect(produce((ring) => writeJob(ring, 10, failure)).visitChunks(keep)).rejects.toBe(failure);
    expect(all().equals(expected(10))).toBe(true);
    await expect(produce(neverStarted).visitChunks(keep)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  });

  it("ends the job where the visitor fails, and its ring is used again", async () => {
    const { produce, used } = open();
    let outcome: unknown;
    for (const visit of [fail, async () => fail()]) {
      const stream = produce((ring) => writeJob(ring, manyPieces).catch((error: unknown) => (outcome = error)));
      await expect(stream.visitChunks(visit)).rejects.toThrow("visitor came to grief");
      expect(stream.closed).toBe(true);
      expect(outcome).toMatchObject({ code: "CANCELLED" });
    }
    expect((await buffer(produce((ring) => writeJob(ring, 10)))).equals(expected(10))).toBe(true);
    expect(used.size).toBe(1);
  });

  it("fails where the stream is destroyed meanwhile, and shows nothing more", async () => {
    const { produce } = open();
    const givenUp = new CleatError("CANCELLED", "given up");
    for (const error of [givenUp, undefined]) {
      const stream = produce((ring) => writeJob(ring, manyPieces).catch(() => {}));
      let seen = 0;
      const visited = stream.visitChunks(() => {
        seen++;
        stream.destroy(error);
      });
      await expect(visited).rejects.toMatchObject({ code: "CANCELLED" });
      expect(seen).toBe(1);
    }
  });

  it("is not to be had of a stream that is read already, which goes on", async () => {
    const { produce } = open();
    const stream = produce((ring) => writeJob(ring, manyPieces));
    const read = buffer(stream);
    await once(stream, "readable");
    await expect(stream.visitChunks(fail)).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    expect((await read).equals(expected(manyPieces))).toBe(true);
  });

  it("keeps nobody waiting whose turn comes after a visitor that takes its time, who gets all in the end", async () => {
    const { produce, spooled } = open({ slots: 1 });
    const { keep, all } = createKeeper();
    let goOn = (): void => {};
    const paused = new Promise<void>((resolve) => (goOn = resolve));
    const slow = produce((ring) => writeJob(ring, manyPieces)).visitChunks((chunk) => {
      keep(chunk);
      return paused;
    });
    expect((await buffer(produce((ring) => writeJob(ring, 10)))).equals(expected(10))).toBe(true);
    expect(spooled()).toHaveLength(1);
    goOn();
    await slow;
    expect(all().equals(expected(manyPieces))).toBe(true);
    expect(spooled()).toEqual([]);
  });
});

function fail(): never {
  throw new Error("visitor came to grief");
}
