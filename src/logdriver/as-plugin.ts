import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { CleatError } from "../errors/index.ts";
import { logDriverProtocol } from "../protocol/index.ts";
import { assertMethods, errorLogger, implement, type Logger, type Service, toCallOptions } from "../transport/index.ts";
import type { LogDriver, LogEntry } from "./driver.ts";
import type { DropPolicy } from "./entry-buffer.ts";
import { encodeFrame } from "./entry-codec.ts";
import { defaultMaxFrameBytes } from "./frame-reader.ts";
import { createLogTable } from "./log-table.ts";
import type { LogStatus } from "./open-log.ts";
import { type Deadline, deadlineIn } from "./within.ts";
import { joinPartials, selectEntries, withinTimes } from "./select-entries.ts";
import { fromWireInfo, fromWireReadConfig } from "./wire-shapes.ts";

export interface LogDriverPluginOptions {
  readonly driver: LogDriver;
  /**
   * A folder of its own, kept with `openStore` of `cleat/state`: which pipes are read, so that a plugin that is started
   * again goes on with them. It holds the containers' environments, readable by the plugin's user only. Without one,
   * containers that run while the plugin is started again wait once their pipes are full.
   */
  readonly stateFolder?: string;
  /**
   * How much of one log is kept while the driver writes: default 1 MiB, as Docker's `max-buffer-size`. As much again
   * may be on its way to the driver.
   */
  readonly maxBufferBytes?: number;
  /** What is dropped beyond that; default "oldest". */
  readonly drop?: DropPolicy;
  /** Longer messages are taken for damage; default 1 MiB. */
  readonly maxFrameBytes?: number;
  /**
   * How long the end of a container, and that of the plugin, waits for the driver to write, all in all; default 5 s,
   * half of Docker's own patience. The plugin's has less where calls that ran have taken some of that patience.
   */
  readonly stopTimeoutMs?: number;
  /** Default `errorLogger`. */
  readonly logger?: Logger;
}

/** A log driver, ready for `serve`. */
export interface LogDriverPlugin {
  readonly service: Service;
  /** Opens the pipes again that the process before this one read. `serve` calls it; without, the first call does. */
  onListening(): void;
  /** Ends what those read who follow logs: it would keep the plugin from closing. `serve` calls it, and `close`. */
  onClosing(): void;
  /** How each open log fares. */
  logs(): readonly LogStatus[];
  /** Lets go of all pipes, which stay for the next process, and closes the driver. May be called twice. */
  close(): Promise<void>;
}

/**
 * Serves any log driver over Docker's protocol. Reads all pipes on the event loop, without a thread each. While a
 * driver writes, entries wait in a buffer and then in the pipe, which holds a mebibyte; once that is half full and the
 * driver has not done its write, no more is waited for it: what it does not take is dropped, counted and logged as a
 * warning.
 *
 * - `StartLogging` of a pipe that is open is answered as done, and so is `StopLogging` of one that is not.
 * - Bytes that are no entry are skipped up to the next entry, counted, and logged as a warning.
 * - `ReadLogs` goes out with whole lines and within the times asked for; no more of them than the tail, where nobody
 *   follows.
 *
 * @throws INVALID_ARGUMENT when `driver` lacks a method.
 */
export function createLogDriverPlugin(options: LogDriverPluginOptions): LogDriverPlugin {
  assertMethods((options as Partial<typeof options> | undefined)?.driver, methods, "createLogDriverPlugin: driver");
  const { driver, stateFolder, logger = errorLogger, stopTimeoutMs = 5_000 } = options;
  const { maxBufferBytes: maxBytes = 1024 * 1024, drop = "oldest", maxFrameBytes = defaultMaxFrameBytes } = options;
  const table = createLogTable({
    driver,
    stateFolder,
    buffer: { maxBytes, drop },
    maxFrameBytes,
    stopTimeoutMs,
    logger,
  });
  const readLogs = driver.readLogs?.bind(driver);
  const followed = new Set<AbortController>();
  let isEnding = false;
  let ending: Deadline | undefined;
  const endFollowed = () => {
    isEnding = true;
    ending ??= deadlineIn(2 * stopTimeoutMs * shareOfPatience);
    for (const reading of followed) reading.abort();
  };
  let closing: Promise<void> | undefined;
  const isClosing = () => closing !== undefined;
  const assertOpen = () => {
    if (isClosing()) throw new CleatError("UNAVAILABLE", `log driver "${driver.name}" is closed`);
  };

  /** The process before this one may still be closing, with its folder locked; containers wait meanwhile. */
  const restoreAtLast = async () => {
    for (let isTold = false; !isClosing(); await pause(retryMs, undefined, { ref: false })) {
      try {
        return await table.restore();
      } catch (error) {
        if (!isTold) logger.error({ err: error }, "logs were not opened again; trying on");
        isTold = true;
      }
    }
  };

  const service = implement(logDriverProtocol, {
    async startLogging({ File, Info }, call) {
      assertOpen();
      await table.restore();
      await table.start(File, Info, toCallOptions(call));
      return {};
    },
    async stopLogging({ File }) {
      assertOpen();
      await table.restore();
      await table.stop(File);
      return {};
    },
    capabilities: async () => ({ Cap: { ReadLogs: readLogs !== undefined } }),
    ...(readLogs !== undefined && {
      async readLogs({ Info, Config }) {
        assertOpen();
        const asked = fromWireReadConfig(Config);
        const reading = new AbortController();
        if (isEnding) reading.abort();
        const entries = readLogs(fromWireInfo(Info), asked, { signal: reading.signal });
        if (asked.follow !== true) return toStream(reading, selectEntries(entries, asked));
        // Where what was there ends, and the tail with it, the driver alone knows.
        const stream = toStream(reading, withinTimes(joinPartials(entries), asked));
        followed.add(reading);
        stream.once("close", () => followed.delete(reading));
        return stream;
      },
    }),
  });
  return {
    service,
    onListening() {
      void restoreAtLast();
    },
    logs: () => table.statuses(),
    onClosing: endFollowed,
    close() {
      endFollowed();
      const leftMs = Math.max(ending?.leftMs() ?? 0, stopTimeoutMs * leastShareForDriver);
      return (closing ??= table.close(deadlineIn(Math.min(leftMs, stopTimeoutMs))).finally(() => driver.close()));
    },
  };
}

const retryMs = 250;

/** How much of Docker's patience for a plugin that ends the driver may take; the rest is for what comes after. */
const shareOfPatience = 0.9;
/** How much of `stopTimeoutMs` a driver has for what it holds, however much calls have taken. */
const leastShareForDriver = 0.1;

const methods: readonly (keyof LogDriver)[] = ["openLog", "close"];

/**
 * Entries as frames; the reader's leaving ends a driver that waits for more. It is told before the stream's own end:
 * that waits for the generator, which waits for the driver.
 */
function toStream(reading: AbortController, entries: AsyncIterable<LogEntry>): Readable {
  const stream = Readable.from(frames(entries), { objectMode: false, highWaterMark: 64 * 1024 });
  // oxlint-disable-next-line no-underscore-dangle -- the name is Node's
  const endGenerator = stream._destroy.bind(stream);
  // oxlint-disable-next-line no-underscore-dangle
  stream._destroy = (error, done) => {
    reading.abort();
    endGenerator(error, done);
  };
  return stream;
}

/** Docker prints what it reads back without a break after it. */
async function* frames(entries: AsyncIterable<LogEntry>): AsyncGenerator<Buffer> {
  for await (const entry of entries) yield encodeFrame({ ...entry, line: Buffer.concat([entry.line, lineBreak]) });
}

const lineBreak = Buffer.from("\n");
