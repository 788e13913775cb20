import type { Deadline } from "../../transport/index.ts";

/**
 * The time in which a stream's peer is waited for, out of a deadline for that: it stands still while the caller is
 * busy, at either end of the stream, and starts anew when the caller is at neither.
 */
export interface PeerSilence {
  /** Runs `work`, the caller's own. */
  whileBusy<T>(work: () => Promise<T>): Promise<T>;
  /** The caller has something to do, until `wait`. */
  pause(): void;
  wait(): void;
}

export function createPeerSilence(deadline: Pick<Deadline, "start" | "pause">): PeerSilence {
  let busy = 0;
  const pause = (): void => {
    busy++;
    deadline.pause();
  };
  const wait = (): void => {
    busy--;
    if (busy === 0) deadline.start();
  };
  return {
    pause,
    wait,
    whileBusy(work) {
      pause();
      return work().finally(wait);
    },
  };
}
