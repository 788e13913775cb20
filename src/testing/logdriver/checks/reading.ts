/** What comes back of what was printed. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { TransportError } from "../../../errors/index.ts";
import type { LogEntry } from "../../../logdriver/index.ts";
import { firstNs, linesOf, type LogCheck, needsReading, stepNs } from "../context.ts";

const docs = "moby v20.10.24 docs/extend/plugins_logging.md";
const adapter = "moby v20.10.24 daemon/logger/adapter.go ReadLogs";
const makes = "logs of containers that there are not";
const common = { makes, needs: needsReading };

export const readingChecks: readonly LogCheck[] = [
  {
    id: "read/in-order",
    title: "reads back what was printed, in order, with its source and its times to the nanosecond",
    source: adapter,
    symptom: "docker logs shows lines in another order, without stderr, or with other times.",
    ...common,
    async run({ newContainer, openLog, write, readAtLeast }) {
      const container = newContainer();
      const log = await openLog(container);
      await write(log, "one", { line: Buffer.from("two"), source: "stderr" }, "three");
      const entries = await readAtLeast(container, 3);
      deepEqual(linesOf(entries), ["one", "two", "three"]);
      deepEqual(
        entries.map(({ source, timeNs }) => ({ source, timeNs })),
        ["stdout", "stderr", "stdout"].map((source, at) => ({ source, timeNs: firstNs + BigInt(at) * stepNs })),
      );
    },
  },
  {
    id: "read/bytes",
    title: "reads back bytes as they were printed: empty lines, what is not UTF-8, 16 KiB in a line",
    source: "moby v20.10.24 daemon/logger/copier.go, which cuts lines at 16 KiB",
    symptom: "docker logs shows other characters than were printed, or lines are missing.",
    ...common,
    async run({ newContainer, openLog, write, readAtLeast }) {
      const container = newContainer();
      const log = await openLog(container);
      const all = [
        Buffer.alloc(0),
        Buffer.from([0xff, 0x00, 0x0d, 0x80]),
        Buffer.alloc(16 * 1024, "x"),
        Buffer.from("ß"),
      ];
      await write(log, ...all);
      const entries = await readAtLeast(container, all.length);
      deepEqual(
        entries.map(({ line }) => Buffer.from(line).toString("hex")),
        all.map((line) => line.toString("hex")),
      );
    },
  },
  {
    id: "read/cut-lines",
    title: "reads back the pieces of a line that the engine has cut, so that together they are the line",
    source: "moby v20.10.24 api/types/plugins/logdriver/entry.proto PartialLogEntryMetadata",
    symptom: "Of long lines docker logs shows the first 16 KiB, or other lines in the middle of them.",
    ...common,
    async run({ newContainer, openLog, write, readUntil }) {
      const container = newContainer();
      const log = await openLog(container);
      const piece = (text: string, ordinal: number, last: boolean): Partial<LogEntry> => ({
        line: Buffer.from(text),
        partial: { id: "cut", ordinal, last },
      });
      await write(log, piece("be", 1, false), piece("gin", 2, false), piece("ning", 3, true), "next");
      // In as many entries as the driver likes, which may be there one by one.
      const entries = await readUntil(container, (there) => linesOf(there).join("").includes("next"));
      equal(linesOf(entries).join(""), "beginningnext");
    },
  },
  {
    id: "read/tail",
    title: "reads the last lines back where only those are asked for",
    source: `${docs} /LogDriver.ReadLogs; recorded (test/golden): docker logs --tail`,
    symptom: "docker logs --tail 2 shows other lines, all of them, or none.",
    ...common,
    async run({ newContainer, openLog, write, read, readAtLeast }) {
      const container = newContainer();
      await write(await openLog(container), "one", "two", "three", "four");
      await readAtLeast(container, 4);
      deepEqual(linesOf(await read(container, { tail: 2 })), ["three", "four"]);
      deepEqual(linesOf(await read(container, { tail: 9 })), ["one", "two", "three", "four"]);
    },
  },
  {
    id: "read/since-and-until",
    title: "reads back what was printed since a time, and until one",
    source: `${docs} /LogDriver.ReadLogs; ${adapter}`,
    symptom: "docker logs --since or --until shows what it should not.",
    ...common,
    async run({ newContainer, openLog, write, read, readAtLeast }) {
      const container = newContainer();
      await write(await openLog(container), "one", "two", "three", "four");
      await readAtLeast(container, 4);
      const [sinceNs, untilNs] = [firstNs + stepNs, firstNs + 2n * stepNs];
      deepEqual(linesOf(await read(container, { sinceNs })), ["two", "three", "four"]);
      deepEqual(linesOf(await read(container, { untilNs })), ["one", "two", "three"]);
      deepEqual(linesOf(await read(container, { sinceNs, untilNs })), ["two", "three"]);
    },
  },
  {
    id: "read/follow",
    title: "goes on reading while a container prints, and ends when it ends",
    source: `${docs} /LogDriver.ReadLogs (Follow)`,
    symptom: "docker logs --follow shows nothing new, shows lines twice, or never ends.",
    ...common,
    async run({ driver, newContainer, openLog, write, readAtLeast, patienceMs }) {
      const container = newContainer();
      const log = await openLog(container);
      await write(log, "before");
      await readAtLeast(container, 1);
      const seen: string[] = [];
      let heard = () => {};
      const first = new Promise<void>((resolve) => (heard = resolve));
      const following = (async () => {
        for await (const { line } of driver.readLogs?.(container, { follow: true }) ?? []) {
          seen.push(Buffer.from(line).toString());
          heard();
        }
      })();
      await within(first, patienceMs, "what was there is not read");
      await write(log, "after");
      await log.close();
      await within(following, patienceMs, `it follows on after the end, having read ${seen.join(", ")}`);
      deepEqual(seen, ["before", "after"]);
    },
  },
  {
    id: "read/follow-given-up",
    title: "goes on for others when one who follows a silent container goes away",
    source: "docker logs --follow, ended by Ctrl-C",
    symptom: "Each docker logs --follow that is broken off keeps a reader in the plugin, until it has no descriptors.",
    ...common,
    async run({ driver, newContainer, openLog, write, readAtLeast }) {
      const container = newContainer();
      const log = await openLog(container);
      await write(log, "before");
      await readAtLeast(container, 1);
      for (let time = 0; time < 8; time++) {
        for await (const _ of driver.readLogs?.(container, { follow: true }) ?? []) break;
      }
      await write(log, "after");
      deepEqual(linesOf(await readAtLeast(container, 2)), ["before", "after"]);
    },
  },
  {
    id: "read/after-the-end",
    title: "reads back all that was printed before a container ended, as soon as StopLogging is answered",
    source: "moby v20.10.24 daemon/logger/adapter.go Close: the pipe is removed when StopLogging is answered",
    symptom: "The last lines of a container are missing in docker logs: those that say why it ended.",
    ...common,
    async run({ newContainer, openLog, write, read }) {
      const container = newContainer();
      const log = await openLog(container);
      const lines = Array.from({ length: 200 }, (_, at) => `line ${at}`);
      await write(log, ...lines);
      await log.close();
      deepEqual(linesOf(await read(container)), lines);
    },
  },
  {
    id: "read/next-run",
    title: "reads back one story of a container that was started again, whose log is opened once more for each reading",
    source: "recorded (test/golden): docker logs of a container that has ended opens and closes a log",
    symptom: "After docker restart, or a second docker logs, what was printed before is gone.",
    ...common,
    async run({ newContainer, openLog, write, read }) {
      const container = newContainer();
      const log = await openLog(container);
      await write(log, "first run");
      await log.close();
      const again = await openLog(container);
      await write(again, "second run");
      await again.close();
      const silent = await openLog(container);
      deepEqual(linesOf(await read(container)), ["first run", "second run"]);
      await silent.close();
      deepEqual(linesOf(await read(container)), ["first run", "second run"]);
    },
  },
  {
    id: "read/apart",
    title: "keeps containers apart that print at the same time",
    source: `${docs} /LogDriver.StartLogging`,
    symptom: "docker logs shows what another container has printed.",
    ...common,
    async run({ newContainer, openLog, write, read }) {
      const containers = Array.from({ length: 8 }, newContainer);
      await Promise.all(
        containers.map(async (container) => {
          const log = await openLog(container);
          await write(log, `of ${container.id}`, `of ${container.id}`);
          await log.close();
        }),
      );
      for (const container of containers) {
        deepEqual(linesOf(await read(container)), [`of ${container.id}`, `of ${container.id}`]);
      }
    },
  },
  {
    id: "read/unknown",
    title: "ends the reading of a container of which nothing is known",
    source: adapter,
    symptom: "docker logs of a container that has printed nothing hangs.",
    ...common,
    async run({ read, newContainer, patienceMs }) {
      const entries = read(newContainer()).catch((error: unknown) => {
        if (error instanceof TransportError) throw error;
        return []; // a failure is as good
      });
      deepEqual(await within(entries, patienceMs, "it never ends"), []);
    },
  },
  {
    id: "open/option-misspelt",
    title: "an option that the driver does not know is refused",
    source: "moby v20.10.24 daemon/logger/jsonfilelog/jsonfilelog.go ValidateLogOpt, which refuses them",
    symptom: "docker run --log-opt max-sze=1m starts a container whose log has no limit.",
    advice: true,
    makes,
    async run({ openLog, newContainer, refused }) {
      const { options, ...container } = newContainer();
      const misspelt = { ...options, "cleat-check-no-such-option": "1" };
      await refused(openLog({ ...container, options: misspelt }), "INVALID_ARGUMENT", "cleat-check-no-such-option");
    },
  },
];

async function within<T>(work: Promise<T>, limitMs: number, problem: string): Promise<T> {
  const timer = new AbortController();
  const late = delay(limitMs, undefined, { signal: timer.signal }).then(
    () => ok(false, `${problem} (${limitMs} ms)`) as never,
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}
