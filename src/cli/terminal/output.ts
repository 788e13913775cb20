import type { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { isSystemError } from "../../errors/index.ts";

export interface WatchedOutput {
  /** Waits until all that was written has got out, or cannot any more; why not, if so. */
  flush(): Promise<Error | undefined>;
}

/**
 * Lets a command go on when its output cannot be written. A reader that went away early, as `head` does, has what it
 * wanted: that is not a failure.
 */
export function watchOutput(stream: Writable): WatchedOutput {
  let failed: Error | undefined;
  stream.on("error", (error) => {
    if (!isSystemError(error, "EPIPE")) failed ??= error;
  });
  return {
    async flush() {
      // A pipe takes 64 KiB; the rest waits here for its reader, and would be lost with the process.
      if (stream.writableLength > 0) await new Promise<void>((resolve) => stream.write("", () => resolve()));
      await setImmediate(); // what was written at once tells of its failure thereafter
      return failed;
    },
  };
}
