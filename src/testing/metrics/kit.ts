/**
 * The conformance kit for metrics collectors: what `MetricsCollector` promises, and what Docker tells of its metrics.
 *
 *     await runMetricsCollectorKit({ open: async () => mine, socket: "/tmp/metrics.sock" });
 */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createMetricsCollectorFromPlugin, type MetricsCollector } from "../../metrics/index.ts";
import type { CheckResult } from "../check.ts";
import { type KitRunOptions, type KitSubject, openSubject, type RestartOptions, runKit } from "../driver-kit.ts";
import { metricsCollectorChecks } from "./checks.ts";
import type { MetricsContext, SocketBehaviour } from "./context.ts";

interface MetricsOptions {
  /** Where the collector looks for Docker's socket: the kit listens there. What is there is replaced. */
  readonly socket?: string | undefined;
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
  const { socket, killAndRestart } = options;
  return await runKit(options, metricsCollectorChecks, async (): Promise<MetricsContext> => {
    const place = socket === undefined ? undefined : createSocketPlace(socket);
    return {
      collector,
      wire,
      killAndRestart,
      putSocket: place && ((behaviour) => place.put(behaviour)),
      async [Symbol.asyncDispose]() {
        await collector.stop().catch(() => {}); // checks that must stop it have done so
        await place?.put("absent");
      },
    };
  });
}

/** One server at a time, at one path. */
function createSocketPlace(path: string) {
  let server: Server | undefined;
  const end = async () => {
    server?.closeAllConnections();
    if (server?.listening === true) await new Promise((resolve) => server?.close(resolve));
    server = undefined;
    await rm(path, { force: true });
  };
  return {
    async put(behaviour: SocketBehaviour): Promise<void> {
      await end();
      if (behaviour === "absent") return;
      server = createServer((_, response) => {
        if (behaviour === "good") response.end("engine_daemon_events_total 0\n");
        if (behaviour === "broken")
          response.writeHead(200, { "Content-Length": "100" }).write("engine", () => response.destroy());
      });
      await once(server.listen(path), "listening");
    },
  };
}
