/**
 * How long to wait before each further try, in milliseconds: 1, 2, 4, 8, 16, 30, 30 … s. Ends where the next pause
 * would pass `limitMs` in all, whether that was spent pausing or trying.
 *
 * Source: moby v20.10.24 `pkg/plugins/client.go`, `backoff` and `abort`.
 */
export function* backOff(limitMs: number, now: () => number = () => performance.now()): Generator<number, undefined> {
  const startedMs = now();
  for (let pauseMs = 1_000; now() - startedMs + pauseMs < limitMs; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
    yield pauseMs;
  }
}

const maxPauseMs = 30_000;
