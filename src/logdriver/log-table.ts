import { CleatError, quoteText } from "../errors/index.ts";
import type { Logger } from "../transport/index.ts";
import type { LogDriver } from "./driver.ts";
import type { EntryBufferOptions } from "./entry-buffer.ts";
import { createKeptLogs, type KeptLog, type LogStateStore } from "./kept-logs.ts";
import { type LogStatus, openLog, type OpenLog, reopening } from "./open-log.ts";
import { fromWireInfo, type WireInfo } from "./wire-shapes.ts";

export interface LogTableOptions {
  readonly driver: LogDriver;
  readonly state: LogStateStore | undefined;
  readonly buffer: EntryBufferOptions;
  readonly maxFrameBytes: number;
  readonly stopTimeoutMs: number;
  readonly logger: Logger;
}

/** The pipes that are being read. */
export interface LogTable {
  /** Opens again what the process before this one had open; once, however often it is called. */
  restore(): Promise<void>;
  start(file: string, info: WireInfo, signal: AbortSignal): Promise<void>;
  /** A pipe that is not there is stopped already. */
  stop(file: string): Promise<void>;
  statuses(): LogStatus[];
  close(): Promise<void>;
}

interface Row {
  readonly kept: KeptLog;
  readonly open: Promise<OpenLog>;
}

const nothing = new Uint8Array(0);

export function createLogTable({ driver, logger, stopTimeoutMs, ...options }: LogTableOptions): LogTable {
  const keptLogs = createKeptLogs(options.state);
  const rows = new Map<string, Row>();
  const ready = new Map<string, OpenLog>();
  let restored: Promise<void> | undefined;
  const save = () => keptLogs.save([...rows.values()].map(({ kept }) => kept));

  const add = (
    kept: KeptLog,
    open: (container: ReturnType<typeof fromWireInfo>) => ReturnType<LogDriver["openLog"]>,
  ) => {
    const container = fromWireInfo(kept.info);
    const { file, unfinished } = kept;
    const opening = (async () => {
      const log = await open(container);
      try {
        await save();
        const { buffer, maxFrameBytes } = options;
        const onGone = () => void forgetGone(file);
        const opened = await openLog({ file, container, log, buffer, maxFrameBytes, unfinished, logger, onGone });
        ready.set(file, opened);
        return opened;
      } catch (error) {
        await log.close();
        throw error;
      }
    })();
    // What was unfinished is in the open log now: the next process is not to read it once more.
    const row = { kept: { ...kept, unfinished: nothing }, open: opening };
    rows.set(file, row);
    opening.catch(() => {
      if (rows.get(file) === row) rows.delete(file);
    });
    return opening;
  };

  const remove = async (file: string) => {
    const row = rows.get(file);
    if (row === undefined) return undefined;
    const opened = await row.open.catch(() => undefined);
    rows.delete(file);
    ready.delete(file);
    return opened;
  };

  /** An engine that was killed says nothing; its next one has pipes of its own. */
  const forgetGone = async (file: string) => {
    logger.warn({ file }, "the engine has left a log pipe");
    await stop(file).catch((error: unknown) => logger.error({ file, err: error }, "log was not stopped"));
  };

  const stop = async (file: string) => {
    const opened = await remove(file);
    await opened?.stop(stopTimeoutMs);
    if (opened !== undefined) await save();
  };

  const restoreOne = async (kept: KeptLog) => {
    const again = (container: ReturnType<typeof fromWireInfo>) => driver.openLog(container);
    try {
      await add(kept, async (container) => {
        try {
          return await again(container);
        } catch (error) {
          // Its container runs: what it prints is read and lost, rather than that it waits.
          logger.error({ file: kept.file, container: container.id, err: error }, "log was not opened again");
          return reopening(() => again(container));
        }
      });
    } catch (error) {
      const isGone = error instanceof CleatError && error.code === "NOT_FOUND";
      if (isGone) logger.info({ file: kept.file }, "log pipe is gone");
      else logger.error({ file: kept.file, err: error }, "log pipe was not opened again");
    }
  };

  return {
    restore() {
      restored ??= (async () => {
        const logs = await keptLogs.load();
        await Promise.all(logs.map(restoreOne));
        if (logs.length > 0) await save();
      })();
      return restored;
    },
    async start(file, info, signal) {
      const known = rows.get(file);
      if (known !== undefined && known.kept.info.ContainerID !== info.ContainerID) {
        throw new CleatError("ALREADY_EXISTS", `pipe ${quoteText(file)} is another container's`);
      }
      const opening =
        known?.open ?? add({ file, info, unfinished: nothing }, (container) => driver.openLog(container, { signal }));
      try {
        await opening;
      } catch (error) {
        await save();
        throw error;
      }
    },
    stop,
    statuses: () => [...ready.values()].map((opened) => opened.status()),
    async close() {
      await restored?.catch(() => {});
      const left = [...rows.values()].map(async ({ kept, open }) => {
        const opened = await open.catch(() => undefined);
        return opened && { ...kept, unfinished: await opened.leave(stopTimeoutMs) };
      });
      const logs = (await Promise.all(left)).filter((log) => log !== undefined);
      [rows, ready].forEach((table) => table.clear());
      if (restored !== undefined) await keptLogs.save(logs);
    },
  };
}
