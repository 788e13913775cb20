import { TransportError } from "../errors/index.ts";
import { maxTimerMs } from "../transport/index.ts";

/**
 * Waits for `work` no longer than until `signal` aborts, and then rejects with its reason. The work goes on for those
 * who still wait.
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (abort !== undefined) signal.removeEventListener("abort", abort);
  }
}

/** Resolves after `pauseMs`, or as soon as `signal` aborts: whoever pauses looks at the signal next. */
export function pause(pauseMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(pauseMs, maxTimerMs));
    signal?.addEventListener("abort", end);
    if (signal?.aborted === true) end();
  });
}

/** What a caller's own signal aborted, as an error of the closed table. */
export function givenUp(subject: string, signal: AbortSignal): TransportError {
  const message = `${subject} was given up by its caller`;
  return new TransportError("CANCELLED", message, { reachedPeer: false, cause: signal.reason });
}
