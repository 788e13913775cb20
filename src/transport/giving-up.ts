import type { WireRequest } from "./wire.ts";

/**
 * Calls back when nobody waits for the reply any more; at once, if so already. Returns how to forget that.
 */
export function whenGivenUp(wire: Pick<WireRequest, "givingUp" | "signal">, callback: () => void): () => void {
  const { givingUp } = wire;
  if ((givingUp ?? wire.signal).aborted) {
    callback();
    return ignore;
  }
  if (givingUp !== undefined) {
    givingUp.onAbort(callback);
    return () => givingUp.offAbort(callback);
  }
  const { signal } = wire;
  signal.addEventListener("abort", callback, { once: true });
  return () => signal.removeEventListener("abort", callback);
}

function ignore(): void {}
