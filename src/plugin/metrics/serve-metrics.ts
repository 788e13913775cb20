import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, BlockList, isIP } from "node:net";
import { CleatError, toCleatError } from "../../errors/index.ts";
import { errorLogger, formatAddress, type HostAndPort } from "../../transport/index.ts";
import { endWithProcess } from "../signals/end-with-process.ts";
import { listenOnUnix } from "../listeners/unix-listener.ts";
import { type CallMetrics, countCalls } from "./call-metrics.ts";
import { formatMetrics, metricsMediaType } from "./format-metrics.ts";

export interface ServeMetricsOptions {
  /**
   * A socket, or an address of this machine alone: whoever can connect may read what is counted. Port 0 takes a free
   * one.
   */
  readonly listen: { readonly unix: string } | { readonly tcp: HostAndPort };
  /** As of `serve`: default true, signals that end the process close this first. */
  readonly handleSignals?: boolean;
}

export interface RunningMetrics extends AsyncDisposable {
  readonly address: string;
  /** May be called twice. */
  close(): Promise<void>;
}

/**
 * Counts what this process answers from now on, and answers `GET /metrics` as Prometheus reads it.
 * @throws INVALID_ARGUMENT for an address that others than this machine reach, FAILED_PRECONDITION when it is taken.
 */
export async function serveMetrics(options: ServeMetricsOptions): Promise<RunningMetrics> {
  const { listen, handleSignals = true } = options;
  const calls = countCalls();
  const server = createServer({ requestTimeout: 5_000, maxHeaderSize: 8 * 1024 }, (request, response) => {
    request.resume();
    const isAsked = request.url?.split("?")[0] === "/metrics" && ["GET", "HEAD"].includes(request.method ?? "");
    if (isAsked) response.writeHead(200, { "Content-Type": metricsMediaType }).end(formatMetrics(calls));
    else response.writeHead(404).end("metrics are at GET /metrics\n");
  });
  try {
    const { address, remove } = "unix" in listen ? await listenOnUnix(server, listen) : await bind(server, listen.tcp);
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => (closing ??= end(server, calls, remove).finally(() => letSignals?.()));
    const letSignals = handleSignals ? endWithProcess(close, errorLogger) : undefined;
    return { address, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    calls.stop();
    throw error;
  }
}

async function end(server: Server, calls: CallMetrics, remove: () => Promise<void>): Promise<void> {
  calls.stop();
  server.close();
  server.closeAllConnections();
  await remove();
}

async function bind(server: Server, { host, port }: HostAndPort) {
  const subject = `metrics at ${formatAddress({ tcp: { host, port } })}`;
  if (host !== "localhost" && !isLoopback(host)) {
    throw new CleatError("INVALID_ARGUMENT", `${subject} would be everybody's: take 127.0.0.1, ::1 or a unix socket`);
  }
  try {
    await once(server.listen(port, host), "listening");
  } catch (error) {
    throw toCleatError(error, subject);
  }
  const bound = (server.address() as AddressInfo).port;
  return { address: formatAddress({ tcp: { host, port: bound } }), remove: async () => {} };
}

function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return false; // a name may lead anywhere
  const loopback = new BlockList();
  loopback.addSubnet("127.0.0.0", 8);
  loopback.addAddress("::1", "ipv6");
  return loopback.check(host, family === 6 ? "ipv6" : "ipv4");
}
