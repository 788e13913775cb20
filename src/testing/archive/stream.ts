/** Archives on their way to a driver, and back. */
import type { Readable } from "node:stream";

/** Sizes that are no multiple of a block, so that headers come in pieces. */
const chunkBytes = 10_007;

/** The bytes, chunk by chunk. */
export async function* streamOf(archive: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < archive.length; at += chunkBytes) yield archive.subarray(at, at + chunkBytes);
}

/** The bytes, and then `error` in place of the end. */
export async function* failingStreamOf(archive: Uint8Array, error: Error): AsyncGenerator<Uint8Array> {
  yield* streamOf(archive);
  throw error;
}

export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
