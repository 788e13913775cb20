/**
 * The conformance kit for metrics collectors: what `MetricsCollector` promises, and what Docker tells of its metrics.
 *
 *     await runMetricsCollectorKit({ open: async () => mine, socket: "/tmp/metrics.sock" });
 */
import { ok } from "node:assert/strict";
import { once } from "node:events";
import { lstat, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { CleatError, isSystemError } from "../../errors/index.ts";
import { createMetricsCollectorFromPlugin, type MetricsCollector } from "../../metrics/index.ts";
import type { CheckResult } from "../check.ts";
import {
  type KitRunOptions,
  type KitSubject,
  openSubject,
  type RestartOptions,
  runKit,
} from "../protocol/driver-kit.ts";
import { metricsCollectorChecks } from "./checks.ts";
import type { MetricsContext, SocketBehaviour } from "./context.ts";

interface MetricsOptions {
  /** Where the collector looks for Docker's socket: the kit listens there. A socket that is there is replaced. */
  readonly socket?: string | undefined;
  /** How long a collector that was started may take to read its metrics; default 20 s: some read each 15 s. */
  readonly patienceMs?: number | undefined;
}

export type MetricsCollectorKitOptions = KitRunOptions & RestartOptions & MetricsOptions & KitSubject<MetricsCollector>;

/**
 * Runs the checks one after another.
 * @throws INVALID_ARGUMENT when `only` or `expectedFailures` name a check that there is not.
 * @throws what opening the collector, or activating the plugin, throws.
 */
export async function runMetricsCollectorKit(options: MetricsCollectorKitOptions): Promise<readonly CheckResult[]> {
  await using subject = await openSubject(options, createMetricsCollectorFromPlugin);
  const { driver: collector, wire } = subject;
  const { socket, killAndRestart, patienceMs = 20_000 } = options;
  return await runKit(options, metricsCollectorChecks, async (): Promise<MetricsContext> => {
    const place = socket === undefined ? undefined : createSocketPlace(socket, patienceMs);
    return {
      collector,
      wire,
      killAndRestart,
      putSocket: place?.put,
      reads: () => place?.reads() ?? 0,
      waitForRead: async (count = 0) => place?.waitForRead(count),
      async [Symbol.asyncDispose]() {
        await collector.stop().catch(() => {}); // checks that must stop it have done so
        await place?.clear();
      },
    };
  });
}

/** One server at a time, at one path, which is left alone until the first is put there. */
function createSocketPlace(path: string, patienceMs: number) {
  let server: Server | undefined;
  let isTaken = false;
  let reads = 0;
  const end = async () => {
    server?.closeAllConnections();
    if (server?.listening === true) await new Promise((resolve) => server?.close(resolve));
    server = undefined;
    await rm(path, { force: true });
  };
  return {
    reads: () => reads,
    async waitForRead(count: number): Promise<void> {
      const untilMs = performance.now() + patienceMs;
      for (;;) {
        if (reads > count) return;
        ok(performance.now() < untilMs, `its socket is not read within ${patienceMs} ms`);
        await delay(20);
      }
    },
    async put(behaviour: SocketBehaviour): Promise<void> {
      if (!isTaken) await assertReplaceable(path);
      isTaken = true;
      await end();
      reads = 0;
      if (behaviour === "absent") return;
      server = createServer((_, response) => {
        reads++;
        if (behaviour === "good") response.end("engine_daemon_events_total 0\n");
        if (behaviour === "broken")
          response.writeHead(200, { "Content-Length": "100" }).write("engine", () => response.destroy());
      });
      await once(server.listen(path), "listening");
    },
    async clear(): Promise<void> {
      if (isTaken) await end();
    },
  };
}

async function assertReplaceable(path: string): Promise<void> {
  const status = await lstat(path).catch((error: unknown) => {
    if (!isSystemError(error, "ENOENT")) throw error;
  });
  if (status === undefined || status.isSocket()) return;
  throw new CleatError("FAILED_PRECONDITION", `${JSON.stringify(path)} is no socket: it is not replaced by one`);
}
