import type { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { isSystemError } from "../errors/index.ts";

export interface WatchedOutput {
  /** Why what was written until now did not get out, if so. */
  failure(): Promise<Error | undefined>;
}

/**
 * Lets a command go on when its output cannot be written. A reader that went away early, as `head` does, has what it
 * wanted: that is no failure.
 */
export function watchOutput(stream: Writable): WatchedOutput {
  let failed: Error | undefined;
  stream.on("error", (error) => {
    if (!isSystemError(error, "EPIPE")) failed ??= error;
  });
  return {
    async failure() {
      await setImmediate(); // Node writes to files, pipes and terminals at once, and tells of failures thereafter
      return failed;
    },
  };
}
