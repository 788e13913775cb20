import type { LogEntry } from "./driver.ts";
import { createEntryBuffer } from "./entry-buffer.ts";

/** Hands entries to whoever follows a log as they come. A follower that does not read keeps nobody waiting. */
export interface LogFeed {
  publish(entries: readonly LogEntry[]): void;
  /**
   * What is published from now on (from this call, not from the first `next`), until `end` or until `signal` aborts.
   * One that is slow loses the oldest beyond `maxBytes`. Who does not come to read it calls its `return`.
   */
  follow(signal?: AbortSignal): AsyncGenerator<LogEntry>;
  /** Nothing more comes: followers end when they have read what is there. */
  end(): void;
}

const defaultMaxBytes = 1024 * 1024;

export function createLogFeed({ maxBytes = defaultMaxBytes }: { readonly maxBytes?: number } = {}): LogFeed {
  const followers = new Set<{ push(entries: readonly LogEntry[]): void; end(): void }>();
  return {
    publish(entries) {
      for (const follower of followers) follower.push(entries);
    },
    follow(signal) {
      const buffer = createEntryBuffer({ maxBytes, drop: "oldest" });
      const state = { isEnded: signal?.aborted ?? false, wake: () => {} };
      const follower = {
        push(entries: readonly LogEntry[]) {
          buffer.push(entries);
          state.wake();
        },
        end() {
          state.isEnded = true;
          state.wake();
        },
      };
      const leave = () => {
        followers.delete(follower);
        signal?.removeEventListener("abort", abort);
      };
      const abort = () => {
        leave();
        follower.end();
      };
      signal?.addEventListener("abort", abort, { once: true });
      if (!state.isEnded) followers.add(follower);
      async function* read(): AsyncGenerator<LogEntry> {
        try {
          while (!state.isEnded || buffer.length > 0) {
            yield* buffer.take().entries;
            if (state.isEnded || buffer.length > 0) continue;
            await new Promise<void>((resolve) => (state.wake = resolve));
          }
        } finally {
          leave();
        }
      }
      const reading = read();
      const end = reading.return.bind(reading);
      // A generator that was never begun runs no `finally`.
      reading.return = (value) => {
        leave();
        return end(value);
      };
      return reading;
    },
    end() {
      for (const follower of followers) follower.end();
      followers.clear();
    },
  };
}
