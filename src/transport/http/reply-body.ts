import type { IncomingMessage } from "node:http";
import { TransportError } from "../../errors/index.ts";
import { ReplyContent } from "./reply-content.ts";

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
  const content = new ReplyContent();
  let failure: Error | undefined;
  response.on("data", (piece: Buffer) => {
    if (content.sizeBytes > maxBytes) return;
    content.add(piece);
    if (content.sizeBytes <= maxBytes) return;
    response.destroy();
    resolve(content.bytes);
  });
  response.on("error", (error) => (failure = error));
  response.once("end", () => {
    // `complete` says that all has come, `end` that it was read.
    if (response.complete) resolve(content.bytes);
  });
  response.once("close", () => {
    if ((response.complete && response.readableEnded) || content.sizeBytes > maxBytes) return;
    const reason = String(failure ?? "its connection was closed");
    const message = `${address} broke off in the middle of its answer: ${reason}`;
    reject(new TransportError("UNAVAILABLE", message, { reachedPeer: true, cause: failure }));
  });
}
