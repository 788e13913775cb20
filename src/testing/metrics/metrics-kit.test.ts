/** What the kit for metrics collectors must find: one thing wrong at a time, in a plugin that is right otherwise. */
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { createMetricsCollectorPlugin, type MetricsCollector } from "../../metrics/index.ts";
import type { RightPlugin } from "../faulty-plugin.test.support.ts";
import { describeKit } from "../kit-faults.test.support.ts";
import { cut, type Fault, faultsOf, no } from "../planted-fault.test.support.ts";
import { engineDialects } from "../wire/engine-dialects.ts";
import { metricsCollectorChecks } from "./checks.ts";
import { runMetricsCollectorKit } from "./kit.ts";

let folder: string;
const socket = () => join(folder, "metrics.sock");
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "cleat-metrics-"))));
afterAll(() => rm(folder, { recursive: true }));

function readMetrics(patienceMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: socket(), path: "/metrics", agent: false, signal: AbortSignal.timeout(patienceMs) };
    const fail = (cause: unknown) => reject(new CleatError("UNAVAILABLE", "metrics cannot be read", { cause }));
    request(options, (response) => text(response).then(resolve, fail))
      .on("error", fail)
      .end();
  });
}

const right: RightPlugin<MetricsCollector, object> = {
  implements: "MetricsCollector",
  createStore: () => ({}),
  open: () => ({
    name: "memory",
    start: async () => void (await readMetrics(200)),
    stop: async () => {},
    close: async () => {},
  }),
  serve: (collector) => createMetricsCollectorPlugin({ collector }),
};

const { planted, answered } = faultsOf<MetricsCollector>();
const docker = engineDialects.filter(({ id }) => id.startsWith("docker"));
const refuse = (message: string) => Promise.reject(new CleatError("FAILED_PRECONDITION", message));

function isStrict(): (collector: MetricsCollector) => Partial<MetricsCollector> {
  return (collector) => {
    let isRunning = false;
    return {
      start: async () => (await collector.start(), void (isRunning = true)),
      async stop() {
        if (!isRunning) return refuse("nothing was started");
        isRunning = false;
      },
    };
  };
}

const faults: readonly Fault<MetricsCollector>[] = [
  planted("it stops only what runs", isStrict(), ["metrics/stop-first"], cut),
  planted(
    "it starts once",
    (collector) => {
      let isRunning = false;
      return {
        async start() {
          if (isRunning) return refuse("runs already");
          await collector.start();
          isRunning = true;
        },
        stop: async () => void (isRunning = false),
      };
    },
    ["metrics/start-again"],
  ),
  planted(
    "it waits for its socket",
    (collector) => ({
      start: () =>
        access(socket()).then(
          () => collector.start(),
          () => new Promise(() => {}),
        ),
    }),
    ["metrics/no-socket"],
    cut,
  ),
  planted(
    "it waits for its metrics",
    () => ({ start: async () => void (await readMetrics(60_000)) }),
    ["metrics/bad-socket"],
    cut,
  ),
  ...docker.map(({ id, headers }) =>
    answered(
      `it fails ${id}`,
      ({ path, headers: sent }) =>
        path.includes("Metrics") && sent.host === headers["Host"] && sent["user-agent"] !== undefined
          ? no(500)
          : undefined,
      [`engine/${id}-enable`],
      cut,
    ),
  ),
  planted("it reads the first socket only", readingOnce(), ["metrics/start-again"], cut),
  planted("another process reads nothing", readingInOneProcess(), ["restart/started"], cut),
  planted("another process does not start", failingLater(), ["restart/started"], cut),
];

function failingLater() {
  let processes = 0;
  return (): Partial<MetricsCollector> => (processes++ === 0 ? {} : { start: () => refuse("was started before") });
}

function readingOnce(): (collector: MetricsCollector) => Partial<MetricsCollector> {
  let starts = 0;
  return (collector) => ({ start: async () => (starts++ === 0 ? collector.start() : undefined) });
}

function readingInOneProcess() {
  let processes = 0;
  return (): Partial<MetricsCollector> => (processes++ === 0 ? {} : { start: async () => {} });
}

const collector: MetricsCollector = {
  name: "mine",
  start: async () => void (await readMetrics(200)),
  stop: async () => {},
  close: async () => {},
};
const runHere = (only: readonly string[]) =>
  runMetricsCollectorKit({ open: async () => collector, socket: socket(), only });

test("checks that need no socket leave alone what is there", async () => {
  await writeFile(socket(), "theirs");
  expect(await runHere(["metrics/stop-first"])).toMatchObject([{ outcome: "passed" }]);
  expect(await readFile(socket(), "utf8")).toBe("theirs");
});

test("a file that is no socket is nobody's to replace", async () => {
  await writeFile(socket(), "theirs");
  const [result] = await runHere(["metrics/no-socket"]);
  expect(result).toMatchObject({ outcome: "failed", error: { code: "FAILED_PRECONDITION" } });
  expect(await readFile(socket(), "utf8")).toBe("theirs");
  await rm(socket());
});

describeKit({
  right,
  checks: metricsCollectorChecks,
  faults,
  run: (options) => runMetricsCollectorKit({ ...options, socket: socket(), patienceMs: options.callTimeoutMs }),
});
