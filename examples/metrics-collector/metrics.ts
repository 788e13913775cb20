/**
 * A metrics collector: keeps Docker's latest metrics in a file, for whoever scrapes files (Prometheus's node exporter
 * does). `node metrics.js [NAME|SOCKET] [FILE] [SOCKET OF METRICS]`.
 */
import { rename, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { CleatError } from "cleat/errors";
import { createMetricsCollectorPlugin, metricsSocket, type MetricsCollector } from "cleat/metrics";
import { serve } from "cleat/plugin";

const intervalMs = 15_000;
const deadlineMs = 2_000;

export function createFileCollector(file: string, socket: string): MetricsCollector {
  let timer: NodeJS.Timeout | undefined;

  const collect = async () => {
    await writeFile(`${file}.new`, await readMetrics(socket));
    await rename(`${file}.new`, file); // whoever reads finds a whole one
  };
  const stop = async () => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    name: "file",
    async start() {
      await collect(); // so that Docker hears of it where that fails
      await stop();
      timer = setInterval(() => {
        collect().catch((error: unknown) => console.error(`${String(error)}; the file is the last one`));
      }, intervalMs);
    },
    stop,
    close: stop,
  };
}

function readMetrics(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(deadlineMs);
    const call = request({ socketPath, path: "/metrics", signal, agent: false }, (response) => {
      if (response.statusCode === 200) text(response).then(resolve, reject);
      else reject(new CleatError("UNAVAILABLE", `metrics at "${socketPath}": status ${response.statusCode}`));
    });
    const fail = (cause: Error) =>
      reject(new CleatError("UNAVAILABLE", `metrics at "${socketPath}": ${cause.message}`, { cause }));
    call.on("error", fail).end();
  });
}

const [place = "file", file = "/var/lib/docker-metrics.prom", socket = metricsSocket] = process.argv.slice(2);
await serve({
  drivers: [createMetricsCollectorPlugin({ collector: createFileCollector(file, socket) })],
  listen: place.includes("/") ? { unix: place } : place,
});
