import type { Readable } from "node:stream";
import type { ChunkVisiting } from "../../protocol/kit.ts";

/**
 * Reads a stream that `diff` gave to its end, for who hashes, counts or writes at once what it holds: calls `visit`
 * with each chunk in turn, and awaits what that returns before the next. A chunk is valid until `visit` is over, since
 * it may be the memory that the driver's thread fills: until it returns, or until a promise that it returns has settled
 * (such a visitor gets copies, but for the first chunk that it takes its time with). `for await` gives a copy of each,
 * which costs more than the copying: V8 collects all of its garbage anew for some 20 MB of them. Other streams are read
 * as they are.
 *
 *     const hash = createHash("sha256");
 *     await forEachChunk(await driver.diff("c1", "app"), (chunk) => void hash.update(chunk));
 *
 * @throws what the stream fails with, and what `visit` throws, which destroys the stream.
 */
export async function forEachChunk(stream: Readable, visit: (chunk: Uint8Array) => unknown): Promise<void> {
  if (isVisitable(stream)) return stream.visitChunks(visit);
  for await (const chunk of stream) await visit(chunk as Uint8Array);
}

/** One that somebody has begun to read goes on as a stream. */
function isVisitable(stream: Readable): stream is Readable & ChunkVisiting {
  return "visitChunks" in stream && !stream.readableDidRead && stream.readableFlowing === null;
}
