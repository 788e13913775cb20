/** How fast a peer sends, so that one who is silent, or as good as silent, is told from one whom the job holds back. */
export interface Pace {
  received(sizeBytes: number): void;
  /** Time in which the job had no room for more is not the peer's. */
  held(timeMs: number): void;
  /** Somebody else reads from the peer, and knows how fast it sends, until there is nobody any more. */
  watch(reader: Pick<Pace, "isSlow"> | undefined): void;
  /** Whether the peer has sent less than a brisk one does, for at least this long. */
  isSlow(timeMs: number): boolean;
}

/** What even a slow network sends within a second. */
export const briskBytes = 256 * 1024;

export function createPace(now: () => number = () => performance.now()): Pace {
  let sinceMs = now();
  let sizeBytes = 0;
  let other: Pick<Pace, "isSlow"> | undefined;
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
    watch(reader) {
      other = reader;
      sinceMs = now();
      sizeBytes = 0;
    },
    isSlow: (timeMs) => other?.isSlow(timeMs) ?? now() - sinceMs >= timeMs,
  };
}
