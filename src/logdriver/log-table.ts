import { CleatError, quoteText } from "../errors/index.ts";
import type { CallOptions } from "../protocol/index.ts";
import type { Logger } from "../transport/index.ts";
import type { LogDriver } from "./driver.ts";
import type { EntryBufferOptions } from "./entry-buffer.ts";
import { type KeptLog, type KeptLogs, openKeptLogs } from "./kept-logs.ts";
import { nothing, type Open, openAgain, openKeptLog } from "./open-kept-log.ts";
import type { LogStatus, OpenLog } from "./open-log.ts";
import type { WireInfo } from "./wire-shapes.ts";
import { type Deadline, deadlineIn, within } from "./within.ts";

export interface LogTableOptions {
  readonly driver: LogDriver;
  readonly stateFolder: string | undefined;
  readonly buffer: EntryBufferOptions;
  readonly maxFrameBytes: number;
  readonly stopTimeoutMs: number;
  readonly logger: Logger;
}

/** The pipes that are being read. */
export interface LogTable {
  /**
   * Begins to open again what the process before this one had open; once, however often it is called. A failure is
   * forgotten.
   */
  restore(): Promise<void>;
  start(file: string, info: WireInfo, call: CallOptions): Promise<void>;
  /** A pipe that is not there is stopped already. */
  stop(file: string): Promise<void>;
  statuses(): LogStatus[];
  /** Lets go of all pipes, with what is left of the deadline. */
  close(deadline: Deadline): Promise<void>;
}

interface Row {
  readonly kept: KeptLog;
  readonly open: Promise<OpenLog>;
}

export function createLogTable({ driver, logger, stopTimeoutMs, ...options }: LogTableOptions): LogTable {
  const rows = new Map<string, Row>();
  const ready = new Map<string, OpenLog>();
  let records: Promise<KeptLogs> | undefined;
  const keptLogs = () => (records ??= openKeptLogs(options.stateFolder).catch(forgetting(() => (records = undefined))));

  const opening = {
    ...options,
    logger,
    records: () => keptLogs(),
    onGone: (file: string) => void forgetGone(file),
  };
  const add = (kept: KeptLog, open: Open): Promise<OpenLog> => {
    const opened = openKeptLog(kept, open, opening).then((log) => (ready.set(kept.file, log), log));
    const row = { kept, open: opened };
    rows.set(kept.file, row);
    row.open.catch(() => {
      if (rows.get(kept.file) === row) rows.delete(kept.file);
    });
    return row.open;
  };

  const end = async (file: string, opened: OpenLog, deadline: Deadline) => {
    rows.delete(file);
    ready.delete(file);
    await opened.stop(deadline);
    await (await keptLogs()).delete(file);
  };
  const endOnceOpen = (file: string, { open }: Row) => {
    logger.warn({ file, timeoutMs: stopTimeoutMs }, "log is still being opened");
    const ended = open.then((late) => end(file, late, deadlineIn(stopTimeoutMs)));
    ended.catch((error: unknown) => logger.error({ file, err: error }, "log was not stopped"));
  };
  const stop = async (file: string) => {
    const row = rows.get(file);
    if (row === undefined) return;
    const deadline = deadlineIn(stopTimeoutMs);
    const opened = await within(notFailed(row.open), stopTimeoutMs, () => endOnceOpen(file, row));
    if (opened !== undefined) await end(file, opened, deadline);
  };

  /** An engine that was killed says nothing; its next one has pipes of its own. */
  const forgetGone = async (file: string) => {
    logger.warn({ file }, "the engine has left a log pipe");
    await stop(file).catch((error: unknown) => logger.error({ file, err: error }, "log was not stopped"));
  };

  /** A record goes only with its pipe: what cannot be opened now may be opened by the next process. */
  const restoreOne = async (kept: KeptLog) => {
    const { file } = kept;
    try {
      await add(kept, openAgain(driver, file, logger));
    } catch (error) {
      const isGone = error instanceof CleatError && error.code === "NOT_FOUND";
      if (!isGone) return logger.error({ file, err: error }, "log pipe was not opened again");
      logger.info({ file }, "log pipe is gone");
      await (await keptLogs()).delete(file);
    }
  };

  /** No log is waited for: one that takes long keeps no other container from starting. */
  const restoreAll = async () => {
    for (const kept of (await keptLogs()).logs) {
      restoreOne(kept).catch((error: unknown) => logger.error({ file: kept.file, err: error }, "log was not kept"));
    }
  };
  let restored: Promise<void> | undefined;
  const restore = () => (restored ??= restoreAll().catch(forgetting(() => (restored = undefined))));

  return {
    restore,
    async start(file, info, call) {
      const known = rows.get(file);
      if (known !== undefined && known.kept.info.ContainerID !== info.ContainerID) {
        throw new CleatError("ALREADY_EXISTS", `pipe ${quoteText(file)} is another container's`);
      }
      const kept = { file, info, unfinished: nothing };
      try {
        await (known?.open ?? add(kept, (container) => driver.openLog(container, call)));
      } catch (error) {
        await (await keptLogs()).delete(file);
        throw error;
      }
    },
    stop,
    statuses: () => [...ready.values()].map((opened) => opened.status()),
    async close(deadline) {
      await restored?.catch(() => {});
      const kept = await records?.catch(() => undefined);
      if (kept === undefined) return;
      try {
        await Promise.all([...rows.values()].map((row) => leave(row, kept, deadline)));
      } finally {
        [rows, ready].forEach((table) => table.clear());
        await kept.close();
      }
    },
  };
}

/** For the next process, with what is half read. */
async function leave({ kept, open }: Row, records: KeptLogs, deadline: Deadline): Promise<void> {
  const opened = await within(notFailed(open), deadline.leftMs(), () => {}); // where it is not open nothing was read
  const unfinished = await opened?.leave(deadline);
  if (unfinished !== undefined && unfinished.byteLength > 0) await records.put({ ...kept, unfinished });
}

const notFailed = (open: Promise<OpenLog>): Promise<OpenLog | undefined> => open.catch(() => undefined);

/** So that whoever asks next tries again. */
function forgetting(forget: () => void): (error: unknown) => never {
  return (error) => {
    forget();
    throw error;
  };
}
