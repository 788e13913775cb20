import { CleatError } from "../errors/index.ts";
import type { Logger } from "../transport/index.ts";
import type { ContainerLog, LoggedContainer } from "./driver.ts";
import type { EntryBufferOptions } from "./entry-buffer.ts";
import { type FifoReader, readFifo } from "./fifo.ts";
import { createFrameReader } from "./frame-reader.ts";
import { createLogPump } from "./log-pump.ts";
import { type Deadline, within } from "./within.ts";

/** How a container's log fares: for operators, and for whoever counts. */
export interface LogStatus {
  /** The pipe. */
  readonly file: string;
  readonly containerId: string;
  readonly containerName: string;
  /** Entries that came through the pipe, of which some may be dropped. */
  readonly entries: number;
  readonly dropped: number;
  /** Bytes that were no entry. */
  readonly skippedBytes: number;
  readonly bufferedBytes: number;
}

export interface OpenLogOptions {
  readonly file: string;
  readonly container: LoggedContainer;
  readonly log: ContainerLog;
  readonly buffer: EntryBufferOptions;
  readonly maxFrameBytes: number;
  /** Bytes that the process before this one had read of a frame. */
  readonly unfinished: Uint8Array;
  readonly logger: Logger;
  /** The engine has let go of the pipe without a word. */
  onGone(): void;
}

/** A pipe that is read into a driver's log. */
export interface OpenLog {
  status(): LogStatus;
  /**
   * Reads the rest of the pipe and lets go of it; resolves when the driver has closed its log, at the deadline at the
   * latest: what is not written then goes on being written.
   */
  stop(deadline: Deadline): Promise<void>;
  /** As `stop`, leaving what is in the pipe to the next process; resolves to what was read of an unfinished frame. */
  leave(deadline: Deadline): Promise<Uint8Array>;
}

/** @throws NOT_FOUND or FAILED_PRECONDITION as `readFifo`; `log` is its maker's to close then. */
export async function openLog(options: OpenLogOptions): Promise<OpenLog> {
  const { file, container, log, logger } = options;
  const subject = { file, container: container.id };
  const frames = createFrameReader(options.maxFrameBytes);
  const pump = createLogPump({ log, buffer: options.buffer, logger, subject });
  let entryCount = 0;
  let skippedBefore = 0;

  const take = (chunk: Uint8Array, mayWait: () => boolean) => {
    const entries = frames.push(chunk);
    entryCount += entries.length;
    tellSkipped();
    return pump.push(entries, mayWait);
  };
  const tellSkipped = () => {
    const { skippedBytes } = frames;
    if (skippedBefore === 0 && skippedBytes > 0) logger.warn({ ...subject, skippedBytes }, "bytes are no log entry");
    skippedBefore = skippedBytes;
  };
  const finish = async (deadline: Deadline) => {
    const finished = pump.flushed().then(() => log.close());
    finished.catch((error: unknown) => logger.error({ ...subject, err: error }, "log was not closed"));
    await within(
      finished.catch(() => {}),
      deadline.leftMs(),
      () => logger.warn({ ...subject, bufferedBytes: pump.bufferedBytes }, "log is still being written"),
    );
  };

  await take(options.unfinished, () => false);
  const reader: FifoReader = await readFifo(file, {
    data: take,
    end(error) {
      if (error !== undefined) logger.error({ ...subject, err: error }, "log pipe could not be read");
      options.onGone();
    },
  });

  return {
    status: () => ({
      file,
      containerId: container.id,
      containerName: container.name,
      entries: entryCount,
      dropped: pump.dropped,
      skippedBytes: frames.skippedBytes,
      bufferedBytes: pump.bufferedBytes,
    }),
    async stop(deadline) {
      await reader.drain(deadline.leftMs());
      frames.end();
      tellSkipped();
      await finish(deadline);
    },
    async leave(deadline) {
      reader.close();
      await finish(deadline);
      return frames.unfinished;
    },
  };
}

/**
 * A log whose container prints already: it is opened at once, and nobody waits for that. While a driver takes its time,
 * so does the first write; where it refuses, each write tries again, and what cannot be written counts as dropped.
 */
export function reopening(open: () => Promise<ContainerLog>, onRefused: (error: unknown) => void): ContainerLog {
  let opening: Promise<ContainerLog> | undefined;
  let isClosed = false;
  const opened = () => (opening ??= open().catch(forget));
  const forget = (error: unknown): never => {
    opening = undefined;
    throw error;
  };
  opened().catch(onRefused);
  return {
    async write(entries, loss) {
      if (isClosed) throw new CleatError("FAILED_PRECONDITION", "log is closed");
      await (await opened()).write(entries, loss);
    },
    async close() {
      isClosed = true;
      const log = await opening?.catch(() => undefined);
      await log?.close();
    },
  };
}
