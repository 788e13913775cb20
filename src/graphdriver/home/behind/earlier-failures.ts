import type { Logger } from "../../../transport/index.ts";

/**
 * Keeps what failed to be written before from those that write later. The kernel tells a descriptor, when it flushes
 * the file system, of every write that has failed since it was opened, and of one before that if nobody was told of it
 * yet: after a call that failed on a full disk, more of what it had written may fail after it was told, and the next
 * call would be refused for that. Source: Linux v6.1 `Documentation/core-api/errseq.rst`, `fs/sync.c` `syncfs`.
 */
export interface EarlierFailures {
  /**
   * Runs what opens a descriptor, writes, and flushes the file system. If one before it has failed, for whatever
   * reason, what is left of that is flushed first, until a flush succeeds; else this costs nothing.
   */
  before<T>(write: () => Promise<T>): Promise<T>;
}

/** `flush` has a descriptor that was opened before any of them; undefined where nothing is made durable. */
export function takeEarlierFailures(flush: (() => Promise<void>) | undefined, logger: Logger): EarlierFailures {
  let hasFailed = false;
  let flushing: Promise<void> | undefined;

  async function flushLeft(flushAll: () => Promise<void>): Promise<void> {
    hasFailed = false; // who fails meanwhile leaves something that may not be in this flush
    try {
      await flushAll();
    } catch (error) {
      hasFailed = true;
      logger.warn({ err: error }, "what was written by calls that failed is not on the disk");
    } finally {
      flushing = undefined;
    }
  }

  return {
    async before(write) {
      if (flush === undefined) return write();
      if (hasFailed) flushing ??= flushLeft(flush);
      if (flushing !== undefined) await flushing;
      try {
        return await write();
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    },
  };
}
