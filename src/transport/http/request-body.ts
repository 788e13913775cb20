import type { IncomingMessage } from "node:http";
import { CleatError } from "../../errors/index.ts";
import { refuseOverCap } from "../wire/bounded-body.ts";
import type { BodyStream } from "../wire/wire.ts";
import { createLentBody, type LentBody } from "./lent-body.ts";
import { peerGone } from "./peer-gone.ts";

/** What a peer sends with a call, to be read once. */
export interface RequestBody extends BodyStream {
  /** Reads what is left, for nobody. Whoever reads on gets no more, and holds nothing up. */
  discard(): void;
}

/** To be called at the moment of the server's event. */
export function createRequestBody(request: IncomingMessage): RequestBody {
  const lent = createLentBody(request);
  let isDiscarded = false;
  return {
    ...(lent && { lend: lent.lend }),
    [Symbol.asyncIterator]() {
      if (!isDiscarded) return iterateBody(request, lent);
      const error = new CleatError("FAILED_PRECONDITION", "body is not read any more: its call was answered");
      return { next: () => Promise.reject(error) };
    },
    collect(maxBytes, subject) {
      lent?.end();
      return collectBody(request, maxBytes, subject);
    },
    discard() {
      isDiscarded = true;
      lent?.end();
      if (request.complete && request.readableEnded) return;
      request.removeAllListeners("readable"); // an iterator that was left without `return` would hold the stream back
      request.on("data", ignore); // and one that is left later would stop it, if nobody listened
      request.resume();
    },
  };
}

/**
 * All that there is at a time, in one piece. No generators, each of which costs a large body as much as the copy of it.
 * Leaving the loop early must not destroy the request: that would drop the connection before the failure is answered.
 */
function iterateBody(request: IncomingMessage, lent: LentBody | undefined): AsyncIterator<Uint8Array, undefined> {
  let wake = ignore;
  let cause: Error | undefined;
  const onReadable = (): void => wake();
  const onError = (error: Error): void => {
    cause = error;
    wake();
  };
  const leave = (): void => {
    request.off("readable", onReadable).off("end", onReadable).off("close", onReadable).off("error", onError);
  };
  request.on("readable", onReadable).on("end", onReadable).on("close", onReadable).on("error", onError);
  return {
    async next() {
      for (;;) {
        const value = request.destroyed ? null : (request.read() as Buffer | null);
        if (value !== null) return { done: false, value };
        if (request.readableEnded || request.destroyed) {
          leave();
          // `complete` says that all has come, not that it was read: what was destroyed before that is not whole.
          const isWhole = cause === undefined && request.complete && request.readableEnded;
          if (!isWhole) throw peerGone("in the middle of its body", cause);
          return { done: true, value: undefined };
        }
        lent?.wanted();
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    async return() {
      leave();
      return { done: true, value: undefined };
    },
  };
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
      if (!request.complete || !request.readableEnded) return reject(peerGone("in the middle of its body"));
      resolve(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, sizeBytes));
    };
    if (request.destroyed) return onEnd();
    request.on("data", onData);
    request.once("end", onEnd);
    request.once("error", (error) => reject(peerGone("in the middle of its body", error)));
    request.once("close", onEnd); // to settle anew does nothing
  });
}

function ignore(): void {}
