import type { IncomingMessage } from "node:http";
import { CleatError, TransportError } from "../../errors/index.ts";
import { refuseOverCap } from "../bounded-body.ts";
import type { BodyStream } from "../wire.ts";

/** What a peer sends with a call, to be read once. */
export interface RequestBody extends BodyStream {
  /** Reads what is left, for nobody. Whoever reads on gets no more, and holds nothing up. */
  discard(): void;
}

export function createRequestBody(request: IncomingMessage): RequestBody {
  let isDiscarded = false;
  async function* read(): AsyncGenerator<Uint8Array, undefined> {
    if (isDiscarded) throw new CleatError("FAILED_PRECONDITION", "body is not read any more: its call was answered");
    yield* readBody(request);
  }
  return {
    [Symbol.asyncIterator]: read,
    collect: (maxBytes, subject) => collectBody(request, maxBytes, subject),
    discard() {
      isDiscarded = true;
      if (request.complete && request.readableEnded) return;
      request.removeAllListeners("readable"); // an iterator that was left without `return` would hold the stream back
      request.on("data", ignore); // and one that is left later would stop it, if nobody listened
      request.resume();
    },
  };
}

/**
 * Leaving the loop early must not destroy the request: that would drop the connection before the failure is answered.
 */
async function* readBody(request: IncomingMessage): AsyncGenerator<Uint8Array, undefined> {
  try {
    yield* request.iterator({ destroyOnReturn: false });
  } catch (error) {
    throw peerGone("in the middle of its body", error);
  }
  if (!request.complete) throw peerGone("in the middle of its body");
}

/** By events, because an iterator costs a small call more than all else that is done for it here. */
function collectBody(request: IncomingMessage, maxBytes: number, subject: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    const onData = (chunk: Uint8Array): void => {
      sizeBytes += chunk.byteLength;
      chunks.push(chunk);
      if (sizeBytes <= maxBytes) return;
      request.off("data", onData);
      reject(refuseOverCap(subject, maxBytes));
    };
    const onEnd = (): void => {
      if (!request.complete) return reject(peerGone("in the middle of its body"));
      resolve(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, sizeBytes));
    };
    if (request.destroyed) return onEnd();
    request.on("data", onData);
    request.once("end", onEnd);
    request.once("error", (error) => reject(peerGone("in the middle of its body", error)));
    request.once("close", onEnd); // to settle anew does nothing
  });
}

/** What became of a peer that waits for no answer any more. */
export function peerGone(when: string, cause?: unknown): TransportError {
  return new TransportError("CANCELLED", `peer closed the connection ${when}`, { reachedPeer: true, cause });
}

function ignore(): void {}
