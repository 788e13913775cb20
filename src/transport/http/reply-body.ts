import type { IncomingMessage } from "node:http";
import { TransportError } from "../../errors/index.ts";

/**
 * Reads a reply to its end, or until it exceeds `maxBytes`: then its connection is dropped, and what has come is the
 * body, so that whoever has set the limit sees it exceeded. By events, as an iterator costs more than a small call.
 */
export function collectReply(
  response: IncomingMessage,
  maxBytes: number,
  address: string,
  resolve: (body: Uint8Array) => void,
  reject: (error: TransportError) => void,
): void {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  let failure: Error | undefined;
  const toBody = (): Uint8Array => (chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, sizeBytes));
  response.on("data", (chunk: Uint8Array) => {
    if (sizeBytes > maxBytes) return;
    sizeBytes += chunk.byteLength;
    chunks.push(chunk);
    if (sizeBytes <= maxBytes) return;
    response.destroy();
    resolve(toBody());
  });
  response.on("error", (error) => (failure = error));
  response.once("end", () => {
    // `complete` says that all has come, `end` that it was read.
    if (response.complete) resolve(toBody());
  });
  response.once("close", () => {
    if ((response.complete && response.readableEnded) || sizeBytes > maxBytes) return;
    const reason = String(failure ?? "its connection was closed");
    const message = `${address} broke off in the middle of its answer: ${reason}`;
    reject(new TransportError("UNAVAILABLE", message, { reachedPeer: true, cause: failure }));
  });
}
