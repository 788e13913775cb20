/** How fast a peer sends, so that one who is silent, or as good as silent, is told from one whom the job holds back. */
export interface Pace {
  received(sizeBytes: number): void;
  /** Time in which the job had no room for more is not the peer's. */
  held(timeMs: number): void;
  /** Whether the peer has sent less than a brisk one does, for at least this long. */
  isSlow(timeMs: number): boolean;
}

/** What even a slow network sends within a second. */
const briskBytes = 256 * 1024;

export function createPace(now: () => number = () => performance.now()): Pace {
  let sinceMs = now();
  let sizeBytes = 0;
  return {
    received(count) {
      sizeBytes += count;
      if (sizeBytes < briskBytes) return;
      sinceMs = now();
      sizeBytes = 0;
    },
    held(timeMs) {
      sinceMs += timeMs;
    },
    isSlow: (timeMs) => now() - sinceMs >= timeMs,
  };
}
