import { createRing, resetRing, type Ring } from "./ring/control.ts";

/**
 * Rings that are used again and again. V8 does not count shared memory, so that a fresh ring for each of thousands of
 * small layers would fill the machine long before the next collection. As many are kept as were ever used at once.
 */
export interface JobRings {
  take(): Ring;
  /** To be called when neither the job's thread nor this one will touch the ring any more; else it is dropped. */
  giveBack(ring: Ring): void;
  /**
   * Whether no thread touches a job's ring after it failed so: the end of one that died may come after the news of it.
   */
  isIntactAfter(error: unknown): boolean;
}

export function createJobRings(isThreadDeath: (error: unknown) => boolean): JobRings {
  const idle: Ring[] = [];
  return {
    take: () => idle.pop() ?? createRing(),
    giveBack(ring) {
      resetRing(ring);
      idle.push(ring);
    },
    isIntactAfter: (error) => !isThreadDeath(error),
  };
}
