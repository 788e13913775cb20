import { TransportError } from "../../errors/index.ts";

/** What became of a peer that waits for no answer any more. */
export function peerGone(when: string, cause?: unknown): TransportError {
  return new TransportError("CANCELLED", `peer closed the connection ${when}`, { reachedPeer: true, cause });
}
