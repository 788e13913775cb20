/** Jobs as workers would run them, on this thread, and peers that do what a test says. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CleatError } from "../../errors/index.ts";
import { createConsumer } from "./consume.ts";
import { createJobRings } from "./job-rings.ts";
import { createProducer } from "./produce.ts";
import { createAsyncRingReader, createAsyncRingWriter } from "./ring/async-ends.ts";
import type { Ring } from "./ring/control.ts";
import { createSlots } from "./slots.ts";
import { createSpool } from "./spool.ts";

export const deadThread = new CleatError("INTERNAL", "worker thread died");

export async function readJob(ring: Ring): Promise<number> {
  const reader = createAsyncRingReader(ring);
  let sizeBytes = 0;
  for (let bytes = await reader.read(); bytes !== undefined; bytes = await reader.read()) sizeBytes += bytes.length;
  reader.leave();
  return sizeBytes;
}

/** More pieces than a ring and all buffers behind it hold. */
export const manyPieces = 40_000;

/** What `writeJob` writes. */
export function expected(pieces: number): Buffer {
  return Buffer.concat(Array.from({ length: pieces }, (_, at) => Buffer.alloc(100, at)));
}

/** Writes `pieces` of 100 bytes. */
export async function writeJob(ring: Ring, pieces: number, failure?: Error): Promise<void> {
  const writer = createAsyncRingWriter(ring);
  for (let count = 0; count < pieces; count++) {
    if (await writer.write(Buffer.alloc(100, count))) continue;
    writer.abort();
    throw new CleatError("CANCELLED", "nobody reads");
  }
  if (failure === undefined) return writer.finish();
  writer.abort();
  throw failure;
}

export const neverStarted = () => Promise.reject(new CleatError("RESOURCE_EXHAUSTED", "worker pool is busy"));

/** Sends `chunks`, then nothing until it is told to end. */
export function createSilentSender(...chunks: readonly Uint8Array[]) {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  async function* send(): AsyncGenerator<Uint8Array, undefined> {
    yield* chunks;
    await ended;
  }
  return { source: send(), end };
}

export interface StreamsOptions {
  readonly slots?: number;
  readonly patienceMs?: number;
  /** Default true; "full" for a disk that takes nothing. */
  readonly spools?: boolean | "full";
}

/** Streams over jobs, with the rings that they used, and the folder of their spools. */
export function openStreams({ slots = 1, patienceMs = 1, spools = true }: StreamsOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), "cleat-streams-"));
  const place = spools === "full" ? join(folder, "missing") : folder;
  const kept = createJobRings((error) => error === deadThread);
  const used = new Set<Ring>();
  const rings = {
    ...kept,
    take() {
      const ring = kept.take();
      used.add(ring);
      return ring;
    },
  };
  let count = 0;
  const createFile = spools === false ? undefined : () => createSpool(join(place, String(count++)));
  const common = { rings, createSpool: createFile, patienceMs };
  return {
    consume: createConsumer({ ...common, live: createSlots(slots), whole: createSlots(slots) }),
    produce: createProducer({ ...common, slots: createSlots(slots) }),
    used,
    spooled: () => readdirSync(folder),
    close: () => rmSync(folder, { recursive: true }),
  };
}
