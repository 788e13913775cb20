/** What a log driver could get wrong, one thing each. */
import { closeSync, constants, existsSync, openSync, readSync } from "node:fs";
import type { LogDriver, LogEntry, ReadLogsOptions } from "../../logdriver/index.ts";
import { cut, type Fault, faultsOf, no, type Answer } from "../planted-fault.test.support.ts";
import { engineDialects } from "../wire/engine-dialects.ts";

const { planted, answered } = faultsOf<LogDriver>();
const docker = engineDialects.filter(({ id }) => id.startsWith("docker"));
const isCall = (path: string, method: string) => path === `/LogDriver.${method}`;

/** What is written is changed before. */
const writing =
  (change: (entries: readonly LogEntry[]) => readonly LogEntry[]) =>
  (right: LogDriver): Partial<LogDriver> => ({
    async openLog(container, call) {
      const log = await right.openLog(container, call);
      return { ...log, write: (entries, loss) => log.write(change(entries), loss) };
    },
  });

/** What is asked for is changed before. */
const asking =
  (change: (asked: ReadLogsOptions) => ReadLogsOptions) =>
  (right: LogDriver): Partial<LogDriver> => ({
    readLogs: (container, asked, call) =>
      (right.readLogs as NonNullable<LogDriver["readLogs"]>)(container, change(asked), call),
  });

const toText = ({ line, ...entry }: LogEntry): LogEntry => ({
  ...entry,
  line: Buffer.from(Buffer.from(line).toString("ascii")),
});

export const logFaults: readonly Fault<LogDriver>[] = [
  planted(
    "times are whole milliseconds",
    writing((entries) => entries.map((entry) => ({ ...entry, timeNs: (entry.timeNs / 1_000_000n) * 1_000_000n }))),
    ["read/in-order"],
    cut,
  ),
  planted(
    "lines are text",
    writing((entries) => entries.map(toText)),
    ["read/bytes"],
  ),
  planted(
    "of a line that was cut there is the first piece",
    writing((entries) => entries.filter(({ partial }) => partial === undefined || partial.ordinal === 1)),
    ["read/cut-lines"],
  ),
  planted(
    "a tail is a line short",
    asking(({ tail, ...asked }) => ({ ...asked, ...(tail !== undefined && { tail: tail - 1 }) })),
    ["read/tail"],
  ),
  answered("times that are asked for are refused", refusingTimes(), ["read/since-and-until"]),
  planted(
    "nobody follows",
    asking((asked) => ({ ...asked, follow: false })),
    ["read/follow"],
  ),
  answered("who follows is the last", onlyOneFollower(), ["read/follow-given-up"], cut),
  planted(
    "the last entries wait for more",
    (right) => ({
      async openLog(container, call) {
        const log = await right.openLog(container, call);
        let held: readonly LogEntry[] = [];
        return {
          ...log,
          async write(entries, loss) {
            const all = [...held, ...entries];
            held = all.slice(all.length > 100 ? -10 : all.length);
            await log.write(all.slice(0, all.length - held.length), loss);
          },
        };
      },
    }),
    ["read/after-the-end"],
  ),
  planted(
    "a log begins anew",
    (right) => {
      const hidden = new Map<string, number>();
      return {
        async openLog(container, call) {
          let count = 0;
          for await (const _ of right.readLogs?.(container, {}) ?? []) count++;
          hidden.set(container.id, count);
          return right.openLog(container, call);
        },
        async *readLogs(container, asked, call) {
          let at = 0;
          for await (const entry of right.readLogs?.(container, asked, call) ?? [])
            if (at++ >= (hidden.get(container.id) ?? 0)) yield entry;
        },
      };
    },
    ["read/next-run", ...docker.map(({ id }) => `engine/${id}-logs`)],
    cut,
  ),
  planted(
    "all containers are one",
    (right) => {
      const one = <T extends { readonly id: string }>(container: T): T => ({ ...container, id: "one" });
      return {
        openLog: (container, call) => right.openLog(one(container), call),
        readLogs: (container, asked, call) =>
          (right.readLogs as NonNullable<LogDriver["readLogs"]>)(one(container), asked, call),
      };
    },
    ["read/apart"],
    cut,
  ),
  answered(
    "it waits for a container that never comes",
    ({ path, body }) => waitsForUnknown(path, body),
    ["read/unknown"],
    cut,
  ),
  planted(
    "any option is taken",
    (right) => ({
      openLog: (container, call) => right.openLog({ ...container, options: {} }, call),
    }),
    ["open/option-misspelt"],
  ),
  answered(
    "it reads no pipe",
    ({ path }) => (isCall(path, "StartLogging") ? [200, "{}"] : undefined),
    ["pipe/emptied", "pipe/many", "pipe/garbage"],
    cut,
  ),
  answered("it reads four pipes", readingFour(), ["pipe/many"], cut),
  answered("garbage ends it", endedByGarbage(), ["pipe/garbage"], cut),
  answered(
    "it takes what is not there for a pipe",
    ({ path, body }) => {
      if (!isCall(path, "StartLogging")) return undefined;
      return existsSync((JSON.parse(body) as { File: string }).File) ? undefined : [200, "{}"];
    },
    ["pipe/missing"],
  ),
  answered("a stop without a start fails", strictStops(), ["pipe/stopped-twice"]),
  ...docker.map(({ id, headers }) =>
    answered(
      `it fails ${id} at StartLogging`,
      ({ path, headers: sent }) =>
        isCall(path, "StartLogging") && sent.host === headers["Host"] && sent["user-agent"] !== undefined
          ? no(500)
          : undefined,
      [`engine/${id}-logs`],
      cut,
    ),
  ),
  {
    title: "another process knows no pipes",
    wrongs: {},
    isForgetful: true,
    found: ["restart/while-printing", "restart/kept"],
    leaves: false,
  },
];

function refusingTimes(): Answer {
  return ({ path, body }) => (isCall(path, "ReadLogs") && /"Since":"[12][0-9]{3}-/.test(body) ? no(500) : undefined);
}

function onlyOneFollower(): Answer {
  let followers = 0;
  return ({ path, body }) =>
    isCall(path, "ReadLogs") && (body.includes('"Follow":true') ? ++followers > 1 : followers > 1)
      ? no(500)
      : undefined;
}

function waitsForUnknown(path: string, body: string): "never" | undefined {
  return isCall(path, "ReadLogs") && body.includes('"Follow":false') ? "never" : undefined;
}

function readingFour(): Answer {
  let pipes = 0;
  return ({ path }) => (isCall(path, "StartLogging") && ++pipes > 4 ? [200, "{}"] : undefined);
}

/** Looks at what a pipe has when it is closed: bytes that are no entry end it. */
function endedByGarbage(): Answer {
  let isDead = false;
  return ({ path, body }) => {
    if (isDead) return "never";
    if (isCall(path, "StartLogging")) return [200, "{}"];
    if (!isCall(path, "StopLogging")) return undefined;
    const pipe = openSync((JSON.parse(body) as { File: string }).File, constants.O_RDONLY | constants.O_NONBLOCK);
    const bytes = Buffer.alloc(4);
    readSync(pipe, bytes);
    closeSync(pipe);
    isDead = bytes.readUInt32BE() > 2 ** 20;
    return [200, "{}"];
  };
}

function strictStops(): Answer {
  const open = new Set<string>();
  return ({ path, body }) => {
    const isStop = isCall(path, "StopLogging");
    if (!isStop && !isCall(path, "StartLogging")) return undefined;
    const { File } = JSON.parse(body) as { File: string };
    if (!isStop) return void open.add(File);
    return open.delete(File) ? undefined : no(500);
  };
}
