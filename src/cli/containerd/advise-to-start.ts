import { TransportError } from "../../errors/index.ts";

/** Where nobody listens, the same error with what to do: `what` is to be started. Any other comes back as it is. */
export function adviseToStart(error: unknown, what: string): unknown {
  if (!(error instanceof TransportError) || error.code !== "UNAVAILABLE") return error;
  const { code, message, reachedPeer } = error;
  return new TransportError(code, `${message}; start ${what}`, { reachedPeer, cause: error });
}
