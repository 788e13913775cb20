import type { Logger } from "../transport/index.ts";
import type { ContainerLog, LogEntry } from "./driver.ts";
import { createEntryBuffer, type EntryBufferOptions } from "./entry-buffer.ts";

export interface LogPumpOptions {
  readonly log: ContainerLog;
  readonly buffer: EntryBufferOptions;
  readonly logger: Logger;
  /** Whose log it is, for what is logged. */
  readonly subject: object;
}

/** Brings entries to a driver that may be slow, dead or hung, without ever waiting for it. */
export interface LogPump {
  /** Returns at once. */
  push(entries: readonly LogEntry[]): void;
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
      lose(overflown, "the driver is slower than the container");
      const loss = { dropped: untold };
      untold = 0;
      try {
        await log.write(entries, loss);
      } catch (error) {
        untold += loss.dropped;
        lose(entries.length, `the driver failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };

  return {
    push(entries) {
      if (entries.length === 0) return;
      buffer.push(entries);
      pumping ??= pump().finally(() => (pumping = undefined));
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
