import { CleatError } from "../../errors/index.ts";
import type { BodyStream } from "./wire.ts";

/**
 * Reads a body into memory.
 * @throws RESOURCE_EXHAUSTED as soon as it exceeds `maxBytes`; the rest is left unread.
 */
export async function readBounded(
  body: Uint8Array | BodyStream,
  maxBytes: number,
  subject: string,
): Promise<Uint8Array> {
  if (body instanceof Uint8Array) {
    if (body.byteLength > maxBytes) throw refuseOverCap(subject, maxBytes);
    return body;
  }
  if (body.collect !== undefined) return body.collect(maxBytes, subject);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) throw refuseOverCap(subject, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}

export function refuseOverCap(subject: string, maxBytes: number): CleatError {
  return new CleatError("RESOURCE_EXHAUSTED", `${subject} is over ${maxBytes} bytes`);
}
