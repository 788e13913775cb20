import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { ErrorCode } from "../../errors/index.ts";
import type { ContainerLog, LogDriver, LogEntry, LoggedContainer, ReadLogsOptions } from "../../logdriver/index.ts";
import type { Check } from "../check.ts";
import type { WireContext } from "../protocol/context.ts";
import { assertRefused, type Refusals } from "../refusals.ts";

/** What a check of log drivers is given: a driver, and what it may do with it. */
export interface LogContext extends AsyncDisposable {
  readonly driver: LogDriver;
  /** The same driver as engines send to it; `undefined` where it is in this process. */
  readonly wire: WireContext | undefined;
  /** A folder for pipes, which the plugin sees under the same path. */
  readonly pipes: string;
  /** Ends the driver's process by SIGKILL and starts another; `undefined` where nobody can. */
  readonly killAndRestart: (() => Promise<void>) | undefined;
  /** How long entries may take to be read back, and a pipe to be emptied. */
  readonly patienceMs: number;
  /** A container that nobody knows. */
  newContainer(): LoggedContainer;
  /** Opens a log; it is closed after the check. */
  openLog(container: LoggedContainer): Promise<ContainerLog>;
  /** Writes lines, one after another in time, and resolves when the pipe has taken them. */
  write(log: ContainerLog, ...lines: readonly (string | Uint8Array | Partial<LogEntry>)[]): Promise<void>;
  /** What is kept of a container; ends where the driver ends. */
  read(container: LoggedContainer, options?: ReadLogsOptions): Promise<readonly LogEntry[]>;
  /** Reads until `count` entries are there: what is written is read back in time, not at once. */
  readAtLeast(container: LoggedContainer, count: number): Promise<readonly LogEntry[]>;
  /** Reads until `isAll` says that nothing more is to come. */
  readUntil(container: LoggedContainer, isAll: (entries: readonly LogEntry[]) => boolean): Promise<readonly LogEntry[]>;
  /** Fails unless the call is answered with a failure of one of the codes, in one line that names the subject. */
  refused(call: Promise<unknown>, codes: ErrorCode | readonly ErrorCode[], subject: string): Promise<void>;
}

/** One promise of the contract of log drivers, or one thing that engines do. */
export type LogCheck = Check<LogContext>;

export interface LogContextOptions extends Pick<
  LogContext,
  "driver" | "wire" | "pipes" | "killAndRestart" | "patienceMs"
> {
  /** What logs are opened with (`--log-opt`). */
  readonly options: Readonly<Record<string, string>>;
  readonly refusals: Refusals;
}

/** The first entry's time: whole seconds and nanoseconds differ in each. */
export const firstNs = 1_700_000_000_123_456_789n;
export const stepNs = 1_000_000_001n;

export function createLogContext({ options, refusals, ...given }: LogContextOptions): LogContext {
  const { driver, patienceMs } = given;
  const open: ContainerLog[] = [];
  let written = 0n;
  const read: LogContext["read"] = async (container, asked = {}) => {
    const entries: LogEntry[] = [];
    if (driver.readLogs === undefined) return entries;
    for await (const entry of driver.readLogs(container, asked)) entries.push(entry);
    return entries;
  };
  const readUntil: LogContext["readUntil"] = async (container, isAll) => {
    const untilMs = performance.now() + patienceMs;
    for (;;) {
      const entries = await read(container);
      if (isAll(entries) || performance.now() > untilMs) return entries;
      await delay(20);
    }
  };
  return {
    ...given,
    newContainer: () => containerOf(options),
    async openLog(container) {
      const log = await driver.openLog(container);
      open.push(log);
      return log;
    },
    async write(log, ...lines) {
      const entries = lines.map((line): LogEntry => {
        const isEntry = typeof line === "object" && !(line instanceof Uint8Array);
        const more = isEntry ? line : { line: Buffer.from(line as string) };
        return { source: "stdout", timeNs: firstNs + written++ * stepNs, line: Buffer.alloc(0), ...more };
      });
      await log.write(entries, { dropped: 0 });
    },
    read,
    readUntil,
    readAtLeast: (container, count) => readUntil(container, (entries) => entries.length >= count),
    refused: (call, codes, subject) => assertRefused(call, codes, subject, refusals),
    async [Symbol.asyncDispose]() {
      const closed = await Promise.allSettled(open.map((log) => log.close()));
      const errors = closed.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
      if (errors.length > 0) throw new AggregateError(errors, `cannot be closed: ${String(errors[0])}`);
    },
  };
}

function containerOf(options: Readonly<Record<string, string>>): LoggedContainer {
  return {
    id: randomBytes(32).toString("hex"),
    name: "/cleat-check",
    options,
    entrypoint: "seq",
    args: ["1", "3"],
    imageId: `sha256:${"9e93".padEnd(64, "0")}`,
    imageName: "small",
    createdAt: new Date(Number(firstNs / 1_000_000n)),
    env: ["PATH=/bin"],
    labels: {},
    daemonName: "docker",
  };
}

/** What was printed, in the order in which it is read back. */
export function linesOf(entries: readonly LogEntry[]): readonly string[] {
  return entries.map(({ line }) => Buffer.from(line).toString());
}

export const needsReading = ({ driver }: LogContext): string | undefined =>
  driver.readLogs === undefined ? "the driver reads nothing back: Docker keeps a copy of its own" : undefined;
