import { TransportError } from "../errors/index.ts";
import type { BreakerPolicy } from "./client-policy.ts";

/**
 * Leaves a plugin alone that got several calls in a row and answered none, so that callers do not wait for it one
 * deadline after the other. When the pause is over one call tries it; the others fail until that one is back.
 */
export interface CircuitBreaker {
  /** Before a call. @throws UNAVAILABLE while the plugin is left alone. */
  begin(): BreakerCall;
  /** Another program is there now. */
  reset(): void;
  readonly isOpen: boolean;
}

/** How a call went; told once. */
export interface BreakerCall {
  /** Whatever it answered. */
  answered(): void;
  /** One failure that many waited for is one object, and counts once. */
  failed(reason: Error): void;
  /** The caller did not wait: this says nothing about the plugin. */
  gaveUp(): void;
}

export function createCircuitBreaker(
  plugin: string,
  { failures: threshold = 3, pauseMs: firstPauseMs = 10_000 }: BreakerPolicy = {},
  now: () => number = () => performance.now(),
): CircuitBreaker {
  let failures = 0;
  let lastReason: Error | undefined;
  let pauseMs = firstPauseMs;
  let openUntilMs: number | undefined;
  let isBeingTried = false;
  /** Calls to the last program say nothing about this one. */
  let program = 0;

  function close(): void {
    failures = 0;
    pauseMs = firstPauseMs;
    openUntilMs = undefined;
    isBeingTried = false;
  }
  function open(): void {
    openUntilMs = now() + pauseMs;
    isBeingTried = false;
  }
  function refusal(leftMs: number): TransportError {
    const howLong = leftMs > 0 ? `for ${Math.ceil(leftMs / 1_000)} s more` : "until the call that tries it ends";
    const why = `after ${failures} unanswered calls, the last: ${lastReason?.message}`;
    return new TransportError("UNAVAILABLE", `plugin "${plugin}": circuit open ${howLong}, ${why}`, {
      reachedPeer: false,
    });
  }

  return {
    begin() {
      const calledProgram = program;
      const isTrial = openUntilMs !== undefined;
      if (openUntilMs !== undefined) {
        const leftMs = openUntilMs - now();
        if (leftMs > 0 || isBeingTried) throw refusal(leftMs);
        isBeingTried = true;
      }
      return {
        answered() {
          if (calledProgram === program) close();
        },
        failed(reason) {
          if (reason === lastReason || calledProgram !== program) return;
          if (openUntilMs !== undefined && !isTrial) return; // was under way when others opened it
          failures++;
          lastReason = reason;
          if (isTrial) pauseMs = Math.min(pauseMs * 2, maxPauseMs);
          if (isTrial || failures >= threshold) open();
        },
        gaveUp() {
          if (isTrial && calledProgram === program) isBeingTried = false;
        },
      };
    },
    reset() {
      program++;
      close();
    },
    get isOpen() {
      return openUntilMs !== undefined;
    },
  };
}

const maxPauseMs = 300_000;
