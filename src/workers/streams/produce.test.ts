import type { Readable } from "node:stream";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
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

describe("what a job writes, as a stream", () => {
  it("ends after all bytes, and when what it needed is released", async () => {
    const { produce } = open();
    let released = 0;
    const stream = produce(
      (ring) => writeJob(ring, manyPieces),
      async () => void released++,
    );
    expect((await buffer(stream)).equals(expected(manyPieces))).toBe(true);
    expect(released).toBe(1);
  });

  it("comes in pieces that are cheap to copy", async () => {
    const { produce } = open();
    const sizes: number[] = [];
    for await (const piece of produce((ring) => writeJob(ring, manyPieces))) sizes.push((piece as Buffer).length);
    expect(Math.max(...sizes)).toBe(64 * 1024);
  });

  it("fails with the job's error, after what was written", async () => {
    const { produce } = open();
    const failure = new CleatError("ABORTED", "file became shorter");
    const stream = produce((ring) => writeJob(ring, 10, failure));
    let seen = 0;
    stream.on("data", (bytes: Buffer) => (seen += bytes.length));
    await expect(once(stream, "end")).rejects.toBe(failure);
    expect(seen).toBe(1000);
  });

  it("fails, and does not wait for ever, where the job never started, or what it needed cannot be freed", async () => {
    const { produce } = open();
    await expect(buffer(produce(neverStarted))).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    const stream = produce(
      (ring) => writeJob(ring, 1),
      () => Promise.reject(new CleatError("FAILED_PRECONDITION", "busy")),
    );
    await expect(buffer(stream)).rejects.toThrow("busy");
  });

  it("makes the job fail when nobody reads any more, and closes after it", async () => {
    const { produce } = open();
    let outcome: unknown;
    const stream = produce((ring) => writeJob(ring, manyPieces).catch((error: unknown) => (outcome = error)));
    stream.destroy();
    await once(stream, "close");
    const another = produce((ring) => writeJob(ring, manyPieces).catch((error: unknown) => (outcome = error)));
    await once(another, "readable");
    another.destroy();
    await once(another, "close");
    expect(outcome).toMatchObject({ code: "CANCELLED" });
  });

  it("keeps nobody waiting who has given up, and releases what the job needed when that has ended", async () => {
    const { produce } = open();
    let finish = (): void => {};
    const released = new Promise<string>((resolve) => {
      const hanging = () => new Promise<void>((end) => (finish = end));
      const stream = produce(hanging, async () => resolve("released"));
      stream.on("error", () => {});
      setImmediate(() => stream.destroy(new CleatError("CANCELLED", "given up")));
      stream.once("close", () => finish());
    });
    expect(await released).toBe("released");
  });

  it("uses its ring again, also where a job failed or nobody read", async () => {
    const { produce, used } = open();
    for (let round = 0; round < 20; round++) {
      await buffer(produce((ring) => writeJob(ring, 10)));
      await buffer(produce(neverStarted)).catch(() => {});
      const stream = produce((ring) => writeJob(ring, manyPieces));
      await once(stream, "readable");
      stream.destroy();
      await once(stream, "close");
    }
    expect(used.size).toBe(1);
  });
});

describe("readers who do not read", () => {
  const readAll = async (stalled: readonly Readable[]) => Promise.all(stalled.map((stream) => buffer(stream)));

  it("keep nobody waiting, and get all of it in the end", async () => {
    const { produce, spooled } = open({ slots: 2 });
    const stalled = Array.from({ length: 20 }, () => produce((ring) => writeJob(ring, manyPieces)));
    for (const stream of stalled) stream.on("readable", () => {});
    expect((await buffer(produce((ring) => writeJob(ring, 10)))).equals(expected(10))).toBe(true);
    expect(spooled().length).toBeGreaterThan(0);
    for (const stream of stalled) stream.removeAllListeners("readable");
    const want = expected(manyPieces);
    for (const got of await readAll(stalled)) expect(got.equals(want)).toBe(true);
    expect(spooled()).toEqual([]);
  });

  it("leave no file when they go away", async () => {
    const { produce, spooled } = open({ slots: 1 });
    const stalled = produce((ring) => writeJob(ring, manyPieces));
    await once(stalled, "readable");
    await buffer(produce((ring) => writeJob(ring, 10)));
    stalled.destroy();
    await once(stalled, "close");
    expect(spooled()).toEqual([]);
  });

  it("get all of it where the disk has no room for it", async () => {
    const { produce } = open({ slots: 1, spools: "full" });
    const stalled = produce((ring) => writeJob(ring, manyPieces));
    await once(stalled, "readable");
    const waiting = buffer(produce((ring) => writeJob(ring, 10)));
    expect((await buffer(stalled)).equals(expected(manyPieces))).toBe(true);
    expect(await waiting).toHaveLength(1000);
  });
});
