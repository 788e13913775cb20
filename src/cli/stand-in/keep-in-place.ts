import { setTimeout as pause } from "node:timers/promises";
import { toCleatError } from "../../errors/index.ts";
import type { StandIn } from "./stand-in.ts";

/**
 * A plugin that is started anew takes longer than this until it listens; a look costs a connection that says nothing.
 */
const lookEveryMs = 100;

export interface KeptInPlace {
  /** Waits for a look that is under way. */
  stop(): Promise<void>;
}

/**
 * Follows a plugin that ends and is started anew while somebody stands in for its socket. `tell` hears what has
 * happened.
 */
export function keepInPlace(standIn: StandIn, tell: (happened: string) => void): KeptInPlace {
  const stopped = new AbortController();
  let lastFailure = "";

  async function follow(): Promise<void> {
    while (!stopped.signal.aborted) {
      await pause(lookEveryMs, undefined, { signal: stopped.signal }).catch(() => {});
      if (stopped.signal.aborted) return;
      try {
        const happened = await standIn.look();
        if (happened === "gone") tell("plugin has gone; its place is free for it to come back to");
        if (happened === "back") tell("plugin is there anew, and traced again; what was called meanwhile was not seen");
        lastFailure = "";
      } catch (error) {
        const { message } = toCleatError(error);
        if (message !== lastFailure) tell(message);
        lastFailure = message;
      }
    }
  }
  const following = follow();
  return {
    async stop() {
      stopped.abort();
      await following;
    },
  };
}
