/**
 * The log driver contract. This file is the manual.
 *
 * A log driver keeps what containers print. An engine begins a **log** for each run of a container, hands over entries,
 * and ends it; whoever asks reads them back.
 *
 *     const log = await driver.openLog(container)      a container starts
 *     await log.write(entries, { dropped: 0 })         as often as there is something
 *     await log.close()                                it has ended, and all of it has been written
 *     for await (const entry of driver.readLogs(container, { tail: 10 })) …
 *
 * ## Words
 *
 * - **entry**: one line without its line break, or a piece of one: engines cut lines at 16 KiB. The pieces of one line
 *   have a `partial` with the same `id`, `ordinal`s from 1 on, and the last one is `last`.
 * - **log**: what comes through one pipe. A container that is started again has another one; Docker also opens and
 *   closes an empty one for each `docker logs` of a container that is not running. So `container.id` names a container,
 *   and several logs of one container are one story.
 *
 * ## Promises
 *
 * - `write` is called when the one before has ended, with everything that has come since, in order. It may take as long
 *   as it likes: no container waits for it. What comes meanwhile is kept within bounds, and what is beyond them is
 *   dropped and counted, see `LogDriverPluginOptions`; `dropped` says how many entries were lost just before these.
 * - An entry is handed over once: not again after a `write` that failed, and not by the next process.
 * - A log whose plugin was killed goes on in the next process with another `openLog` of the same container. Lines that
 *   the killed one had taken and not written are lost; those in the pipe are not.
 * - `close` of a log comes after its last `write`; a log that failed to open is not closed.
 * - Bytes are bytes: a `line` need not be UTF-8.
 *
 * Source of the semantics: moby v20.10.24 `daemon/logger/{plugin,adapter,copier}.go`, `docs/extend/plugins_logging.md`.
 */
import type { CallOptions } from "../protocol/index.ts";

export interface LogDriver {
  /** The driver's name, as in `docker run --log-driver NAME`. */
  readonly name: string;

  /**
   * A container begins to print, or goes on.
   * @throws INVALID_ARGUMENT for an option in `container.options` that the driver does not know: the container does not
   * start then.
   */
  openLog(container: LoggedContainer, call?: CallOptions): Promise<ContainerLog>;

  /**
   * Entries of a container in order, whether or not it runs. Without this method Docker keeps a copy of its own.
   * Entries outside of `since` and `until`, before the `tail` and cut lines are seen to by the adapter: a driver may
   * leave out what it can leave out cheaply. With `follow` it goes on until `call.signal` aborts or no log of the
   * container is open; the `tail` is the driver's then, as nobody else knows where what was there ends
   * (`selectEntries`).
   * @throws NOT_FOUND when nothing is known of the container.
   */
  readLogs?(container: LoggedContainer, options: ReadLogsOptions, call?: CallOptions): AsyncIterable<LogEntry>;

  /** This process ends: gives back what it holds. What was written stays. May be called twice. */
  close(): Promise<void>;
}

/** One open log. */
export interface ContainerLog {
  /** Keeps entries. A failure is told to the operator, and counted as dropped; the log goes on. */
  write(entries: readonly LogEntry[], loss: LogLoss): Promise<void>;
  /** The container prints no more. May be called twice. */
  close(): Promise<void>;
}

export interface LogLoss {
  /** How many entries were lost since the `write` before. */
  readonly dropped: number;
}

export interface LogEntry {
  /** "stdout" or "stderr". */
  readonly source: string;
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  /** Without its line break. */
  readonly line: Uint8Array;
  /** Of a piece of a line; `undefined` where the line is whole. */
  readonly partial?: PartialLine | undefined;
}

export interface PartialLine {
  /** The same for all pieces of a line; empty where the engine gave none. */
  readonly id: string;
  /** From 1 on. */
  readonly ordinal: number;
  readonly last: boolean;
}

export interface ReadLogsOptions {
  /** The earliest time, in nanoseconds since 1970. */
  readonly sinceNs?: bigint | undefined;
  /** The latest time, in nanoseconds since 1970. */
  readonly untilNs?: bigint | undefined;
  /** How many of the last lines that are there; all of them where it is `undefined`, none where it is 0. */
  readonly tail?: number | undefined;
  /** Whether to wait for more. */
  readonly follow?: boolean | undefined;
}

/** What an engine tells of a container that logs. */
export interface LoggedContainer {
  readonly id: string;
  /** As the engine has it: Docker's begins with "/". */
  readonly name: string;
  /** What the user gave with `--log-opt`, unchecked, without those that are the engine's own (`mode`). */
  readonly options: Readonly<Record<string, string>>;
  readonly entrypoint: string;
  readonly args: readonly string[];
  readonly imageId: string;
  readonly imageName: string;
  readonly createdAt: Date | undefined;
  /** "NAME=value": may hold secrets. */
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Of the engine: "docker". */
  readonly daemonName: string;
}
