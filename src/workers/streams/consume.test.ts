import { Readable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import type { Consume } from "./consume.ts";
import { createAsyncRingReader } from "./ring/async-ends.ts";
import type { Ring } from "./ring/control.ts";
import {
  createSilentSender,
  deadThread,
  neverStarted,
  openStreams,
  readJob,
  type StreamsOptions,
} from "./streams.test.support.ts";

let streams: ReturnType<typeof openStreams>;
const open = (options?: StreamsOptions) => (streams = openStreams(options));
afterEach(() => streams.close());

/** A silent sender whose job has begun, so that it has a place; `held` is what the job made of it. */
async function holdPlace(consume: Consume) {
  const sender = createSilentSender(Buffer.alloc(100_000));
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const held = consume(sender.source, (ring) => {
    begin();
    return readJob(ring);
  });
  await begun;
  return { held, end: sender.end };
}

const large = (sizeBytes = 300_000) => Readable.from([Buffer.alloc(sizeBytes, 1), Buffer.alloc(23, 2)]);

describe("a stream that a job reads", () => {
  it("is what the job makes of it, however long it is and however it is cut", async () => {
    const { consume } = open();
    expect(await consume(Readable.from([]), readJob)).toBe(0);
    expect(await consume(Readable.from([Buffer.alloc(100), Buffer.alloc(0), Buffer.alloc(23)]), readJob)).toBe(123);
    expect(await consume(large(5_000_000), readJob)).toBe(5_000_023);
  });

  it.each([10, 100_000])("that fails after %i bytes fails with its own error, when the job has ended", async (size) => {
    const { consume } = open();
    let running = 0;
    const source = (async function* () {
      yield Buffer.alloc(size);
      throw new CleatError("UNAVAILABLE", "peer is gone");
    })();
    const job = (ring: Ring) => {
      running++;
      return readJob(ring).finally(() => running--);
    };
    await expect(consume(source, job)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(running).toBe(0);
  });

  it("of a job that failed is let go at its next bytes, and the failure told at once", async () => {
    const { consume } = open();
    const { source } = createSilentSender(Buffer.alloc(100_000));
    await expect(consume(source, neverStarted)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(80_000);
      })(),
    );
    await expect(consume(endless, neverStarted)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  });
});

describe("rings", () => {
  it("are used again after jobs that succeed, fail, or are cut off", async () => {
    const { consume, used } = open();
    for (let round = 0; round < 20; round++) {
      await consume(large(), readJob);
      await consume(large(), neverStarted).catch(() => {});
      await consume(
        Readable.from([Buffer.alloc(70_000)]).map(() => Promise.reject(new Error("cut"))),
        readJob,
      ).catch(() => {});
    }
    expect(used.size).toBe(1);
  });

  it("are not used again while the source of a job that failed may still write, nor after a thread died", async () => {
    const { consume, used } = open();
    const { source, end } = createSilentSender(Buffer.alloc(100_000));
    const failing = async (ring: Ring) => {
      await createAsyncRingReader(ring).read();
      throw new CleatError("INVALID_ARGUMENT", "not a tar");
    };
    await expect(consume(source, failing)).rejects.toThrow("not a tar");
    await consume(large(), readJob);
    expect(used.size).toBe(2);
    await expect(consume(large(), () => Promise.reject(deadThread))).rejects.toBe(deadThread);
    await consume(large(), readJob);
    expect(used.size).toBe(3);
    end();
  });
});

describe("silent senders", () => {
  it.each([0, 1000, 100_000])("who sent %i bytes keep nobody waiting, and end well in the end", async (sizeBytes) => {
    const { consume, spooled } = open({ slots: 2 });
    const senders = Array.from({ length: 100 }, () => createSilentSender(Buffer.alloc(sizeBytes)));
    const uploads = senders.map(({ source }) => consume(source, readJob));
    expect(await consume(large(), readJob)).toBe(300_023);
    expect(await consume(Readable.from([Buffer.alloc(3)]), readJob)).toBe(3);
    for (const { end } of senders) end();
    expect(await Promise.all(uploads)).toEqual(senders.map(() => sizeBytes));
    expect(spooled()).toEqual([]);
  });

  it("who break off later leave no file", async () => {
    const { consume, spooled } = open({ slots: 1 });
    const holder = await holdPlace(consume);
    const seen: string[][] = [];
    const source = (async function* () {
      yield Buffer.alloc(100_000);
      seen.push(spooled());
      throw new CleatError("CANCELLED", "peer went away");
    })();
    await expect(consume(source, readJob)).rejects.toThrow("peer went away");
    expect(seen).toEqual([["0"]]);
    expect(spooled()).toEqual([]);
    holder.end();
    expect(await holder.held).toBe(100_000);
  });

  it("keep others waiting only where the disk has no room for these", async () => {
    const { consume } = open({ slots: 1, spools: "full" });
    const holder = await holdPlace(consume);
    const waiting = consume(large(), readJob);
    holder.end();
    expect(await holder.held).toBe(100_000);
    expect(await waiting).toBe(300_023);
  });
});

it("waits for a place while those who have one move", async () => {
  const { consume, used } = open({ slots: 1, patienceMs: 60_000 });
  const uploads = Array.from({ length: 10 }, () => consume(large(), readJob));
  expect(await Promise.all(uploads)).toEqual(uploads.map(() => 300_023));
  expect(used.size).toBe(1);
});
