import type { Logger } from "../transport/index.ts";
import type { ContainerLog, LogEntry } from "./driver.ts";
import { createEntryBuffer, type EntryBufferOptions } from "./entry-buffer.ts";

/** How long a burst waits for a driver before it is asked whether it may wait longer. */
const patienceMs = 100;

export interface LogPumpOptions {
  readonly log: ContainerLog;
  readonly buffer: EntryBufferOptions;
  readonly logger: Logger;
  /** Whose log it is, for what is logged. */
  readonly subject: object;
}

/** Brings entries to a driver that may be slow, dead or hung, without ever waiting for it. */
export interface LogPump {
  /**
   * Takes entries. What it returns is to be waited for before the next ones, so that a burst is not lost on a driver
   * that is quick. Where `mayWait` says no, after `patienceMs` at the earliest, the driver counts as slow until it has
   * done its write, and nobody waits.
   */
  push(entries: readonly LogEntry[], mayWait: () => boolean): Promise<void> | undefined;
  /** Resolves when the driver has all that was pushed until now, or has failed at it. */
  flushed(): Promise<void>;
  readonly dropped: number;
  readonly bufferedBytes: number;
}

export function createLogPump({ log, buffer: bounds, logger, subject }: LogPumpOptions): LogPump {
  const buffer = createEntryBuffer(bounds);
  let pumping: Promise<void> | undefined;
  let dropped = 0;
  /** Of `dropped`, what the driver has not heard of. */
  let untold = 0;

  let isSlow = false;
  let waiting: { readonly room: Promise<void>; readonly end: () => void } | undefined;

  const untilRoom = (mayWait: () => boolean): Promise<void> => {
    if (waiting !== undefined) return waiting.room;
    let resolve!: () => void;
    const room = new Promise<void>((settle) => (resolve = settle));
    const timer = setInterval(() => {
      if (mayWait()) return;
      isSlow = true;
      waiting?.end();
    }, patienceMs);
    const end = () => {
      clearInterval(timer);
      waiting = undefined;
      resolve();
    };
    waiting = { room, end };
    return room;
  };

  const lose = (count: number, reason: string) => {
    if (count === 0) return;
    const before = dropped;
    dropped += count;
    untold += count;
    // One line for each doubling: a log that drops for days says so, and does not become one itself.
    if (Math.clz32(before) !== Math.clz32(dropped)) logger.warn({ ...subject, dropped, reason }, "log entries dropped");
  };

  const pump = async () => {
    while (buffer.length > 0) {
      const { entries, dropped: overflown } = buffer.take();
      waiting?.end();
      lose(overflown, "the driver is slower than the container");
      const loss = { dropped: untold };
      untold = 0;
      try {
        await log.write(entries, loss);
      } catch (error) {
        untold += loss.dropped;
        lose(entries.length, `the driver failed: ${error instanceof Error ? error.message : String(error)}`);
      }
      isSlow = false;
    }
    pumping = undefined; // here, and not when the promise has settled: what is pushed in between would wait for ever
  };

  return {
    push(entries, mayWait) {
      if (entries.length === 0) return undefined;
      buffer.push(entries);
      if (buffer.length === 0) {
        // No pump begins: one that has nothing to write ends before it is known to run, and none would after it.
        lose(buffer.take().dropped, "longer than the buffer");
        return undefined;
      }
      pumping ??= pump();
      return isSlow || buffer.sizeBytes <= bounds.maxBytes / 4 ? undefined : untilRoom(mayWait);
    },
    async flushed() {
      await pumping;
    },
    get dropped() {
      return dropped + buffer.dropped;
    },
    get bufferedBytes() {
      return buffer.sizeBytes;
    },
  };
}
