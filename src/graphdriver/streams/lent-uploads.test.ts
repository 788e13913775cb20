import { setTimeout as pause } from "node:timers/promises";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  chunkedHead,
  chunkOf,
  chunksOf,
  cutInto,
  digestOf,
  lastChunk,
  openBodyServer,
  patternOf,
  smallCall,
  type BodyServer,
} from "./lent-bodies.test.support.ts";
import { timed } from "../../../test/patience.ts";

let uploads: BodyServer;
beforeEach(async () => {
  uploads = await openBodyServer();
});
afterEach(() => uploads[Symbol.asyncDispose]());

const megabytes = (count: number) => patternOf(count * 1_000_000);
const whole = (body: Uint8Array) => ({ status: 200, body: digestOf(body) });
const small = { status: 200, body: "{}" };

describe("a body that a thread reads from the socket", () => {
  it("does not pass the event loop, and leaves the connection to the calls after it", async () => {
    const body = megabytes(20);
    const client = await uploads.connect();
    const sent = client.send(chunkedHead, ...cutInto(chunksOf(body, [32_768]), [200_000]), lastChunk, smallCall);
    expect(await client.answer()).toEqual(whole(body));
    expect(await client.answer()).toEqual(small);
    await sent;
    expect(uploads.readBytes()).toBeLessThan(1_000_000);
  });

  it("is whole however it is framed, cut and followed", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 6 });
    const bodies = fc.tuple(fc.integer({ min: 60_000, max: 700_000 }), sizes, sizes);
    await fc.assert(
      fc.asyncProperty(fc.array(bodies, { minLength: 1, maxLength: 3 }), async (calls) => {
        const client = await uploads.connect();
        const sent = calls.map(([sizeBytes, chunks]) => {
          const body = patternOf(sizeBytes);
          // So that no case takes thousands of writes.
          const framed = chunksOf(body, [...chunks.map((size) => size + 300), 5000]);
          return { body, bytes: Buffer.concat([chunkedHead, framed, lastChunk, smallCall]) };
        });
        const cuts = calls.flatMap(([, , cut]) => cut.map((size) => size + 500));
        const sending = client.send(...cutInto(Buffer.concat(sent.map(({ bytes }) => bytes)), cuts));
        for (const { body } of sent) {
          expect(await client.answer()).toEqual(whole(body));
          expect(await client.answer()).toEqual(small);
        }
        await sending;
        client.socket.destroy();
      }),
      { numRuns: 40 },
    );
  });

  it("may say its length instead", async () => {
    const body = megabytes(20);
    const client = await uploads.connect();
    const head = Buffer.from(`POST /upload HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n`);
    const sent = client.send(head, ...cutInto(Buffer.concat([body, smallCall]), [150_000]));
    expect(await client.answer()).toEqual(whole(body));
    expect(await client.answer()).toEqual(small);
    await sent;
    expect(uploads.readBytes()).toBeLessThan(1_000_000);
  });

  it.each([
    ["trailers", "", "0\r\nDigest: abc\r\nX: y\r\n\r\n"],
    ["an extension of a chunk", ";name=value", "0\r\n\r\n"],
    ["an extension of the last chunk", "", "0;last\r\n\r\n"],
    ["a size with leading zeros", "", "000\r\n\r\n"],
  ])("may have %s, as Node's parser takes it", async (_, extension, end) => {
    const body = megabytes(2);
    const client = await uploads.connect();
    const [first, second, third] = cutInto(body, [900_000]) as [Buffer, Buffer, Buffer];
    const odd = chunkOf(second, `${second.length.toString(16).toUpperCase()}${extension}`);
    const sent = client.send(chunkedHead, chunksOf(first, [40_000]), odd, chunkOf(third), Buffer.from(end), smallCall);
    expect(await client.answer()).toEqual(whole(body));
    expect(await client.answer()).toEqual(small);
    await sent;
  });

  it.each(["xyz\r\n", "\r\n", "-5\r\n", "5 \r\n", " 5\r\n", "5\n", "10000000000000000\r\n", "5\r\nabcdefg\r\n"])(
    "is broken off where Node's parser would not read on: %j",
    async (line) => {
      const client = await uploads.connect();
      await client.send(chunkedHead, chunksOf(megabytes(1), [30_000]), Buffer.from(line), lastChunk);
      await client.closed;
      await expect.poll(() => uploads.outcomes).toMatchObject([{ code: "CANCELLED" }]);
    },
  );

  it("is never whole when its sender ends early, wherever that is", async () => {
    const framed = Buffer.concat([chunksOf(megabytes(1), [70_000, 3]), lastChunk]);
    const ends = [framed.length - 1, framed.length - 2, framed.length - 4, framed.length - 5, framed.length - 6];
    for (const length of [...ends, 100_000, 140_018, 140_020, 140_021, 140_025, 900_000]) {
      const client = await uploads.connect();
      await client.send(chunkedHead, ...cutInto(framed.subarray(0, length), [60_000]));
      client.socket.end();
      await client.closed;
    }
    const failed = Array.from({ length: ends.length + 6 }, () => expect.objectContaining({ code: "CANCELLED" }));
    await expect.poll(() => uploads.outcomes).toEqual(failed);
  });

  it("is let go within 100 ms when the connection is dropped, however silent its sender is", timed, async () => {
    const client = await uploads.connect();
    const [, socket] = await Promise.all([
      client.send(chunkedHead, chunksOf(megabytes(1), [30_000])),
      new Promise<{ destroy(): void }>((resolve) => {
        uploads.server.once("request", ({ socket: own }) => resolve(own));
      }),
    ]);
    await expect.poll(() => client.socket.writableLength).toBe(0);
    await pause(100); // the thread has read all, and waits
    const startMs = performance.now();
    socket.destroy();
    await expect.poll(() => uploads.outcomes, { interval: 5 }).toMatchObject([{ code: "CANCELLED" }]);
    expect(performance.now() - startMs).toBeLessThan(100);
  });
});

it("a body comes by Node's own way where Node is made otherwise", async () => {
  uploads.server.on("connection", (socket) => {
    const { parser } = socket as { readonly parser?: { getCurrentBuffer?: unknown } };
    parser!.getCurrentBuffer = undefined;
  });
  const body = megabytes(3);
  const client = await uploads.connect();
  const sent = client.send(chunkedHead, ...cutInto(chunksOf(body, [32_768]), [200_000]), lastChunk, smallCall);
  expect(await client.answer()).toEqual(whole(body));
  expect(await client.answer()).toEqual(small);
  await sent;
  expect(uploads.readBytes()).toBeGreaterThan(body.length);
});

describe("a body of which its job has had enough", () => {
  it.each([70_000, 200_000, 1_000_000])("after %i bytes is read to its end, and then answered", async (failAfter) => {
    await using failing = await openBodyServer({ failAfter });
    const client = await failing.connect();
    for (let round = 0; round < 3; round++) {
      const sent = client.send(chunkedHead, ...cutInto(chunksOf(megabytes(4), [32_768, 7]), [90_001]), lastChunk);
      expect(await client.answer()).toEqual({ status: 500, body: "failed" });
      await sent;
    }
    await client.send(smallCall);
    expect(await client.answer()).toEqual(small);
  });
});
