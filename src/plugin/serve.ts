import type { Server } from "node:http";
import { announcedName, pluginProtocol } from "../protocol/index.ts";
import {
  createHandler,
  createHttpServer,
  errorLogger,
  type HandlerOptions,
  implement,
  type Logger,
  type Service,
} from "../transport/index.ts";
import { followConnections } from "./connections.ts";
import { assertServeOptions } from "./serve-schema.ts";
import { listenOnTcp, type TcpListen } from "./tcp-listener.ts";
import { listenOnTls, type TlsListen } from "./tls-listener.ts";
import { type Listening, listenOnUnix, type UnixListen } from "./unix-listener.ts";

/** A driver as it is served: its service, and what is to be done after the last call. */
export interface ServedDriver {
  readonly service: Service;
  /**
   * Called once, when the plugin listens at `address`: what is to be done then, and not where another plugin has it.
   */
  onListening?(address: string): void;
  close?(): Promise<void>;
}

export interface ServeOptions {
  /** One or several, of different protocols, on the same address. */
  readonly drivers: readonly ServedDriver[];
  readonly listen: UnixListen | TcpListen | TlsListen;
  /**
   * Default `errorLogger`: an error of a driver's that is no `CleatError` goes to standard error, with its stack. `silentLogger` says
   * nothing; a pino logger is one.
   */
  readonly logger?: Logger;
  /** How long running calls may take once the plugin closes; default 10 s, the patience of most service managers. */
  readonly drainTimeoutMs?: number;
  readonly maxRequestBytes?: HandlerOptions["maxRequestBytes"];
  /** Closes the plugin. */
  readonly signal?: AbortSignal;
}

export interface RunningPlugin extends AsyncDisposable {
  /** As in spec files: "unix:///run/docker/plugins/cleat.sock", "tcp://127.0.0.1:4000", "https://127.0.0.1:4000". */
  readonly address: string;
  /**
   * Disappears for new callers, lets running calls finish, then closes the drivers. May be called twice; both wait
   * for the end. Rejects with an `AggregateError` when a driver could not be closed; everything else is closed then.
   */
  close(): Promise<void>;
}

/**
 * Serves drivers as one plugin. `Plugin.Activate` is answered from their protocols.
 * @throws ALREADY_EXISTS when two drivers speak the same protocol.
 * @throws FAILED_PRECONDITION when the address is taken, or engines could not trust what is served by TLS.
 * @throws INVALID_ARGUMENT when an option is not what it has to be, or a certificate or key of no use. The drivers are never closed then.
 */
export async function serve(options: ServeOptions): Promise<RunningPlugin> {
  assertServeOptions(options);
  const { drivers, listen, logger = errorLogger, drainTimeoutMs = 10_000, maxRequestBytes } = options;
  const services = drivers.map(({ service }) => service);
  const activation = implement(pluginProtocol, {
    activate: async () => ({ Implements: services.map(({ protocol }) => announcedName(protocol)) }),
  });
  const handler = createHandler([activation, ...services], {
    logger,
    ...(maxRequestBytes !== undefined && { maxRequestBytes }),
  });
  const server = createHttpServer(handler, "tls" in listen ? { tls: listen.tls } : {});
  const connections = followConnections(server);
  const listening = await startListening(server, listen);
  for (const driver of drivers) driver.onListening?.(listening.address);
  logger.info({ address: listening.address, protocols: services.map(({ protocol }) => protocol.name) }, "serving");

  const shutDown = async () => {
    const removed = listening.remove();
    const brokenOff = await connections.drain(drainTimeoutMs);
    if (brokenOff > 0) logger.warn({ brokenOff, drainTimeoutMs }, "calls were broken off");
    await settleAll([removed, ...drivers.map(async (driver) => driver.close?.())]);
    logger.info({ address: listening.address }, "closed");
  };
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= shutDown());
  const onSignal = () => void close().catch((error: unknown) => logger.error({ err: error }, "could not close"));
  if (options.signal?.aborted) onSignal();
  else options.signal?.addEventListener("abort", onSignal, { once: true });
  return { address: listening.address, close, [Symbol.asyncDispose]: close };
}

function startListening(server: Server, listen: ServeOptions["listen"]): Promise<Listening> {
  if ("unix" in listen) return listenOnUnix(server, listen);
  return "tls" in listen ? listenOnTls(server, listen) : listenOnTcp(server, listen);
}

async function settleAll(steps: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(steps);
  const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
  if (errors.length > 0) throw new AggregateError(errors, "plugin could not be closed cleanly");
}
