import { setMaxListeners } from "node:events";
import { addAbortSignal, finished, Readable } from "node:stream";
import { TransportError } from "../errors/index.ts";
import { joinSignals } from "./wire/joined-signal.ts";
import type { Handler, Transport } from "./wire/wire.ts";

/**
 * Carries calls to a handler in the same process: for tests, and for callers that have the driver at hand but want the
 * protocol's semantics. Giving up, broken uploads and destroyed streams reach the handler as they do over HTTP.
 */
export function createMemoryTransport(handler: Handler): Transport {
  const closing = new AbortController();
  setMaxListeners(0, closing.signal); // every call listens
  return {
    address: "memory:",
    async send(request) {
      if (closing.signal.aborted) throw brokenOff(false);
      const { signal, release } = joinSignals(request.signal, closing.signal);
      const body =
        request.body instanceof Uint8Array ? request.body : addAbortSignal(signal, Readable.from(request.body));
      let isStream = false;
      try {
        const reply = await unlessAborted(handler({ ...request, body, signal }), signal);
        if (reply.body instanceof Readable) {
          isStream = true;
          finished(addAbortSignal(signal, reply.body), { writable: false }, release);
        }
        return reply;
      } finally {
        if (!isStream) release();
      }
    },
    async close() {
      closing.abort(brokenOff(true));
    },
  };
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(brokenOff(true, signal.reason));
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (abort !== undefined) signal.removeEventListener("abort", abort);
  }
}

function brokenOff(reachedPeer: boolean, cause?: unknown): TransportError {
  return new TransportError("CANCELLED", "call over memory: was broken off", { reachedPeer, cause });
}
