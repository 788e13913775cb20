import type { Logger } from "../transport/index.ts";
import type { ContainerLog, LogDriver, LoggedContainer } from "./driver.ts";
import type { EntryBufferOptions } from "./entry-buffer.ts";
import type { KeptLog, KeptLogs } from "./kept-logs.ts";
import { openLog, type OpenLog, reopening } from "./open-log.ts";
import { fromWireInfo } from "./wire-shapes.ts";

/** How a driver's log of a container is opened. */
export type Open = (container: LoggedContainer) => Promise<ContainerLog>;

export interface OpenKeptLogOptions {
  readonly buffer: EntryBufferOptions;
  readonly maxFrameBytes: number;
  readonly logger: Logger;
  records(): Promise<KeptLogs>;
  /** The engine has left the pipe. */
  onGone(file: string): void;
}

export const nothing = new Uint8Array(0);

/**
 * Opens the log, and reads its pipe into it. The record comes first: a pipe that is read and not kept would be
 * nobody's after a crash.
 */
export async function openKeptLog(kept: KeptLog, open: Open, options: OpenKeptLogOptions): Promise<OpenLog> {
  const { file, unfinished } = kept;
  const { buffer, maxFrameBytes, logger } = options;
  const container = fromWireInfo(kept.info);
  const log = await open(container);
  try {
    // What was unfinished is in the open log from now on: the next process is not to read it once more.
    await (await options.records()).put({ ...kept, unfinished: nothing });
    const onGone = () => options.onGone(file);
    return await openLog({ file, container, log, buffer, maxFrameBytes, unfinished, logger, onGone });
  } catch (error) {
    // Not waited for: a driver that hangs is not to keep from anybody that there is no pipe.
    log.close().catch((failure: unknown) => logger.error({ file, err: failure }, "log was not closed"));
    throw error;
  }
}

/** Its container runs: where the driver fails, what it prints is read and lost, rather than that it waits. */
export function openAgain(driver: LogDriver, file: string, logger: Logger): Open {
  return async (container) =>
    reopening(
      async () => driver.openLog(container),
      (error) => logger.error({ file, container: container.id, err: error }, "log was not opened again"),
    );
}
