import type { WireRequest } from "./wire.ts";

type GivenUp = Pick<WireRequest, "givingUp" | "signal">;

/** Whether nobody waits for the reply any more. */
export function isGivenUp(wire: GivenUp): boolean {
  return (wire.givingUp ?? wire.signal).aborted;
}

/**
 * Calls back when nobody waits for the reply any more; at once, if so already. Returns how to forget that.
 */
export function whenGivenUp(wire: GivenUp, callback: () => void): () => void {
  const { givingUp } = wire;
  if (isGivenUp(wire)) {
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
