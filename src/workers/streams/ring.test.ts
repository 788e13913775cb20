import { Worker } from "node:worker_threads";
import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";

import { createSyncRingReader, createSyncRingWriter } from "./blocking-ends.ts";
import { createAsyncRingReader, createAsyncRingWriter } from "./ring/async-ends.ts";
import { createRing, type Ring } from "./ring/control.ts";

const workers: Worker[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

/** Counters of a stream that has carried `bytes` already, so that they wrap at 2³² soon. */
function ringAfter(bytes: number, sizeBytes: number): Ring {
  const ring = createRing(sizeBytes);
  ring.control.fill(bytes | 0, 0, 2);
  return ring;
}

/** The stream in which byte i is i mod 251, which shows any byte that is lost, doubled or in another's place. */
function patternAt(offset: number, sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => (offset + index) % 251);
}

async function readAll(ring: Ring): Promise<Buffer> {
  const reader = createAsyncRingReader(ring);
  const chunks: Uint8Array[] = [];
  for (let bytes = await reader.read(); bytes !== undefined; bytes = await reader.read())
    chunks.push(Buffer.from(bytes));
  return Buffer.concat(chunks);
}

async function writeAll(ring: Ring, sizes: readonly number[]): Promise<void> {
  const writer = createAsyncRingWriter(ring);
  let offset = 0;
  for (const size of sizes) {
    expect(await writer.write(patternAt(offset, size))).toBe(true);
    offset += size;
  }
  writer.finish();
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
const ringSizes = fc.integer({ min: 0, max: 8 }).map((bits) => 2 ** bits);
const chunkSizes = fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 20 });
const carriedBytes = fc.oneof(fc.integer({ min: 2 ** 32 - 2000, max: 2 ** 32 - 1 }), fc.nat(2 ** 32 - 1));

describe("a stream through a ring", () => {
  it("comes out as it went in, whatever the sizes, also where the counters wrap", async () => {
    await fc.assert(
      fc.asyncProperty(ringSizes, carriedBytes, chunkSizes, async (size, carried, sizes) => {
        const ring = ringAfter(carried, size);
        const [read] = await Promise.all([readAll(ring), writeAll(ring, sizes)]);
        expect(read.equals(patternAt(0, sum(sizes)))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("comes out of the blocking end too, in views of the ring", () => {
    fc.assert(
      fc.property(carriedBytes, fc.array(fc.integer({ min: 1, max: 32 }), { maxLength: 50 }), (carried, sizes) => {
        const ring = ringAfter(carried, 64);
        const writer = createSyncRingWriter(ring);
        const reader = createSyncRingReader(ring);
        let written = 0;
        let read = 0;
        for (const size of sizes) {
          // At most this and the last chunk, which is still lent, lie in the ring: nobody has to wait.
          writer.write(patternAt(written, size));
          written += size;
          while (read < written) {
            const bytes = reader.read() as Uint8Array;
            expect(bytes).toEqual(patternAt(read, bytes.length));
            read += bytes.length;
          }
        }
        writer.finish();
        expect(reader.read()).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it("comes out as it went in where the writer makes some of it in the ring itself", () => {
    const step = fc.record({ isClaimed: fc.boolean(), sizeBytes: fc.integer({ min: 1, max: 30_000 }) });
    fc.assert(
      fc.property(carriedBytes, fc.array(step, { maxLength: 30 }), (carried, steps) => {
        const ring = ringAfter(carried, 2 ** 16);
        const writer = createSyncRingWriter(ring);
        const reader = createSyncRingReader(ring);
        let written = 0;
        let read = 0;
        for (const { isClaimed, sizeBytes } of steps) {
          const claimed = isClaimed ? writer.claim() : undefined;
          const count = Math.min(sizeBytes, claimed?.length ?? sizeBytes);
          claimed?.set(patternAt(written, count));
          if (claimed === undefined) writer.write(patternAt(written, count));
          else writer.commit(count);
          written += count;
          while (read < written) {
            const bytes = reader.read() as Uint8Array;
            expect(Buffer.compare(bytes, patternAt(read, bytes.length))).toBe(0);
            read += bytes.length;
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("is not made in the ring where its room is short, or nobody reads", () => {
    const ring = ringAfter(2 ** 16 - 100, 2 ** 16);
    const writer = createSyncRingWriter(ring);
    expect(writer.claim()).toBeUndefined();
    writer.write(patternAt(0, 100));
    expect(writer.claim()).toHaveLength(2 ** 16 - 100);
    createSyncRingReader(ring).leave();
    expect(() => writer.claim()).toThrow(expect.objectContaining({ code: "CANCELLED" }));
  });

  it.each([0, 3, 48, 2 ** 32, -8, 1.5, Number.NaN])("needs a size that is a power of two, not %d", (size) => {
    expect(() => createRing(size)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});

describe("the end of a stream", () => {
  it("comes after all bytes, and finishing stands whatever follows", async () => {
    const ring = createRing(64);
    const writer = createSyncRingWriter(ring);
    writer.write(patternAt(0, 50));
    writer.finish();
    writer.abort();
    expect(await readAll(ring)).toHaveLength(50);
    expect(createSyncRingReader(ring).read()).toBeUndefined();
  });

  it("that was cut off is an error, after the bytes that came", async () => {
    const ring = createRing(64);
    const writer = createSyncRingWriter(ring);
    writer.write(patternAt(0, 5));
    writer.abort();
    writer.finish();
    const reader = createAsyncRingReader(ring);
    expect(await reader.read()).toHaveLength(5);
    await expect(reader.read()).rejects.toMatchObject({ code: "CANCELLED" });
    expect(() => createSyncRingReader(ring).read()).toThrow(expect.objectContaining({ code: "CANCELLED" }));
  });

  it("wakes a reader that waits", async () => {
    const ring = createRing(64);
    const reading = createAsyncRingReader(ring).read();
    createAsyncRingWriter(ring).abort();
    await expect(reading).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("by a reader that leaves stops writers, also one that waits for room", async () => {
    const ring = createRing(64);
    const writing = createAsyncRingWriter(ring).write(patternAt(0, 100));
    createAsyncRingReader(ring).leave();
    expect(await writing).toBe(false);
    expect(() => createSyncRingWriter(ring).write(patternAt(0, 1))).toThrow(
      expect.objectContaining({ code: "CANCELLED" }),
    );
  });
});

/**
 * The other end on a thread of its own. On Node 20 a thread cannot load TypeScript, so these speak the ring's protocol
 * in plain JavaScript, as its picture has it: one word each of written, read, data signal, space signal, end, gone,
 * writer waits, reader waits.
 */
const blockingReader = `
  const { workerData: { control, data }, parentPort } = require("node:worker_threads");
  let read = 0, wrong = 0;
  for (;;) {
    const signal = Atomics.load(control, 2);
    const held = (Atomics.load(control, 0) - Atomics.load(control, 1)) >>> 0;
    if (held === 0) {
      if (Atomics.load(control, 4) !== 0) break;
      Atomics.store(control, 7, 1);
      const isEmpty = Atomics.load(control, 0) === Atomics.load(control, 1) && Atomics.load(control, 4) === 0;
      if (isEmpty) Atomics.wait(control, 2, signal);
      Atomics.store(control, 7, 0);
      continue;
    }
    const at = (Atomics.load(control, 1) >>> 0) % data.length;
    const count = Math.min(held, data.length - at, 1 + (read * 7) % 90);
    for (let i = 0; i < count; i++) if (data[at + i] !== (read + i) % 251) wrong++;
    read += count;
    Atomics.add(control, 1, count);
    if (held - count <= data.length / 2 && Atomics.load(control, 6) !== 0) {
      Atomics.add(control, 3, 1);
      Atomics.notify(control, 3);
    }
  }
  parentPort.postMessage({ read, wrong });
`;
const blockingWriter = `
  const { workerData: { control, data, total } } = require("node:worker_threads");
  for (let written = 0; written < total;) {
    const signal = Atomics.load(control, 3);
    const unread = () => (Atomics.load(control, 0) - Atomics.load(control, 1)) >>> 0;
    const room = data.length - unread();
    if (room === 0) {
      Atomics.store(control, 6, 1);
      if (unread() === data.length) Atomics.wait(control, 3, signal);
      Atomics.store(control, 6, 0);
      continue;
    }
    const at = (Atomics.load(control, 0) >>> 0) % data.length;
    const count = Math.min(room, data.length - at, 1 + (written * 11) % 70, total - written);
    for (let i = 0; i < count; i++) data[at + i] = (written + i) % 251;
    Atomics.add(control, 0, count);
    const held = (Atomics.load(control, 0) - Atomics.load(control, 1)) >>> 0;
    if (held >= data.length / 2 && Atomics.load(control, 7) !== 0) {
      Atomics.add(control, 2, 1);
      Atomics.notify(control, 2);
    }
    written += count;
  }
  Atomics.store(control, 4, 1);
  Atomics.add(control, 2, 1);
  Atomics.notify(control, 2);
`;

function startThread(code: string, workerData: unknown): Worker {
  const worker = new Worker(code, { eval: true, workerData });
  workers.push(worker);
  return worker;
}

describe("two threads", () => {
  it("lose neither a byte nor a wake-up when this one writes", async () => {
    const ring = ringAfter(2 ** 32 - 5000, 128);
    const worker = startThread(blockingReader, ring);
    const answer = new Promise((resolve) => worker.once("message", resolve));
    const sizes = Array.from({ length: 3000 }, (_, index) => 1 + ((index * 13) % 120));
    await writeAll(ring, sizes);
    expect(await answer).toEqual({ read: sum(sizes), wrong: 0 });
  });

  it("lose neither a byte nor a wake-up when this one reads", async () => {
    const ring = ringAfter(2 ** 32 - 5000, 128);
    const total = 200_000;
    startThread(blockingWriter, { ...ring, total });
    const read = await readAll(ring);
    expect(read.equals(patternAt(0, total))).toBe(true);
  });
});
