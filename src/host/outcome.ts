import { finished, Readable } from "node:stream";
import { TransportError } from "../errors/index.ts";
import type { WireReply, WireRequest } from "../transport/index.ts";
import type { BreakerCall } from "./circuit-breaker.ts";
import type { BreakerPolicy } from "./client-policy.ts";

/** Tells a circuit breaker how calls went. */
export interface OutcomeTeller {
  /** A call failed, or its caller gave up. */
  failed(call: BreakerCall, error: unknown, lastedMs: number): void;
  /**
   * A reply has begun. A short one counts when it is there whole, because a plugin may also hang in the middle of one.
   */
  began(call: BreakerCall, reply: WireReply, wire: WireRequest, startedMs: number): void;
}

/** `onLost` is called when the connection broke in the middle of a reply. */
export function createOutcomeTeller({ minSilenceMs = 1_000 }: BreakerPolicy, onLost: () => void): OutcomeTeller {
  const failed: OutcomeTeller["failed"] = (call, error, lastedMs) => {
    const code = error instanceof TransportError ? error.code : undefined;
    const isSilent = code === "DEADLINE_EXCEEDED" && lastedMs >= minSilenceMs;
    if (code === "UNAVAILABLE" || isSilent) call.failed(error as TransportError);
    else call.gaveUp();
  };
  return {
    failed,
    began(call, { body }, wire, startedMs) {
      if (wire.download === true || !(body instanceof Readable)) {
        call.answered();
        return;
      }
      finished(body, { writable: false }, (error) => {
        if (!error) call.answered();
        else if (wire.signal.aborted) failed(call, wire.signal.reason, performance.now() - startedMs);
        else if ("code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE") call.gaveUp(); // its reader had enough
        else {
          onLost();
          call.failed(error);
        }
      });
    },
  };
}
