import { CleatError } from "../errors/index.ts";

/**
 * Reads a body into memory.
 * @throws RESOURCE_EXHAUSTED as soon as it exceeds `maxBytes`; the rest is left unread.
 */
export async function readBounded(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  maxBytes: number,
  subject: string,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) throw new CleatError("RESOURCE_EXHAUSTED", `${subject} is over ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}
