import type { CallOptions } from "../protocol/index.ts";
import { createDeadline, maxTimerMs } from "../transport/index.ts";

/**
 * Asks a question once, however many callers wait for the answer, and keeps the answer; a failure is forgotten. A
 * caller who gives up, or whose `timeoutMs` has passed, leaves alone: the question stays asked for the others.
 */
export function askOnce<T>(subject: string, ask: () => Promise<T>): (call?: CallOptions) => Promise<T> {
  let asked: Promise<T> | undefined;
  return async ({ signal, timeoutMs } = {}) => {
    const deadline = createDeadline(timeoutMs ?? maxTimerMs, subject, signal);
    try {
      deadline.signal.throwIfAborted();
      asked ??= ask().catch((error: unknown) => {
        asked = undefined;
        throw error;
      });
      return await Promise.race([asked, rejectWhenAborted(deadline.signal)]);
    } finally {
      deadline.release();
    }
  };
}

function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true }); // the signal is this caller's alone, and ends with it
  });
}
