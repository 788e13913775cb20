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
import { endWithProcess } from "./signals/end-with-process.ts";
import { assertServeOptions } from "./serve-schema.ts";
import { type Listen, startListening } from "./listeners/listen.ts";
import { notifySystemd } from "./listeners/systemd.ts";

/** A driver as it is served: its service, and what is to be done after the last call. */
export interface ServedDriver {
  readonly service: Service;
  /**
   * Called once, when the plugin listens at `address`: what is to be done then, and not where another plugin has it.
   */
  onListening?(address: string): void;
  /**
   * Called once, when the plugin begins to close: to end answers that would go on without end, as running calls are
   * waited for.
   */
  onClosing?(): void;
  close?(): Promise<void>;
}

export interface ServeOptions {
  /** One or several, of different protocols, on the same address. */
  readonly drivers: readonly ServedDriver[];
  /**
   * A text is the plugin's name: its socket is where engines look for a plugin of that name, for root and for users.
   */
  readonly listen: Listen;
  /**
   * Default `errorLogger`: an error of a driver's that is not a `CleatError` goes to standard error, with its stack.
   * `silentLogger` says nothing; a pino logger is one.
   */
  readonly logger?: Logger;
  /**
   * How long running calls may take once the plugin closes; default 8 s, so that all of it ends within the 10 s that
   * Docker and most service managers wait.
   */
  readonly drainTimeoutMs?: number;
  readonly maxRequestBytes?: HandlerOptions["maxRequestBytes"];
  /** Closes the plugin. */
  readonly signal?: AbortSignal;
  /**
   * Default true: SIGTERM, SIGINT and SIGHUP close the plugin, and then end the process as they would have, unless the
   * program listens for them itself. With false they are the program's alone.
   */
  readonly handleSignals?: boolean;
}

export interface RunningPlugin extends AsyncDisposable {
  /**
   * As in spec files: "unix:///run/docker/plugins/cleat.sock", "tcp://127.0.0.1:4000", "https://127.0.0.1:4000".
   * "fd://3" is an inherited socket without a path.
   */
  readonly address: string;
  /**
   * Disappears for new callers, lets running calls finish, then closes the drivers. May be called twice; both wait
   * for the end. Rejects with an `AggregateError` when a driver could not be closed; everything else is closed then.
   */
  close(): Promise<void>;
}

/**
 * Serves drivers as one plugin. `Plugin.Activate` is answered from their protocols. A service manager that waits to be
 * told (`NOTIFY_SOCKET`, `Type=notify`) is told when engines can call, and when the plugin closes.
 * @throws ALREADY_EXISTS when two drivers speak the same protocol.
 * @throws FAILED_PRECONDITION when the address is taken, no socket was passed, or engines could not trust what is
 * served by TLS.
 * @throws INVALID_ARGUMENT when an option is not what it has to be, or a certificate or key of no use.
 * @throws what a driver's `onListening` throws. The drivers are never closed where this rejects.
 */
export async function serve(options: ServeOptions): Promise<RunningPlugin> {
  assertServeOptions(options);
  const {
    drivers,
    listen,
    logger = errorLogger,
    drainTimeoutMs = 8_000,
    maxRequestBytes,
    handleSignals = true,
  } = options;
  const services = drivers.map(({ service }) => service);
  const activation = implement(pluginProtocol, {
    activate: async () => ({ Implements: services.map(({ protocol }) => announcedName(protocol)) }),
  });
  const handler = createHandler([activation, ...services], {
    logger,
    ...(maxRequestBytes !== undefined && { maxRequestBytes }),
  });
  const server = createHttpServer(handler, typeof listen === "object" && "tls" in listen ? { tls: listen.tls } : {});
  const connections = followConnections(server);
  const listening = await startListening(server, listen);
  try {
    for (const driver of drivers) driver.onListening?.(listening.address);
  } catch (error) {
    await Promise.allSettled([listening.remove(), connections.drain(0)]);
    throw error;
  }
  logger.info({ address: listening.address, protocols: services.map(({ protocol }) => protocol.name) }, "serving");

  const toldReady = notifySystemd("READY=1", logger); // not waited for: signals may come as soon as it is told

  const shutDown = async () => {
    options.signal?.removeEventListener("abort", onSignal);
    const removed = listening.remove();
    const told = toldReady.then(() => notifySystemd("STOPPING=1", logger));
    const ending = drivers.map(async (driver) => driver.onClosing?.());
    // Told in the end. A failure that nobody hears of until then would end the process, and all calls that run.
    for (const step of [removed, ...ending]) step.catch(() => {});
    const brokenOff = await connections.drain(drainTimeoutMs);
    if (brokenOff > 0) logger.warn({ brokenOff, drainTimeoutMs }, "calls were broken off");
    try {
      await settleAll([removed, told, ...ending, ...drivers.map(async (driver) => driver.close?.())]);
    } finally {
      letSignals?.();
    }
    logger.info({ address: listening.address }, "closed");
  };
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= shutDown());
  const onSignal = () => void close().catch((error: unknown) => logger.error({ err: error }, "could not close"));
  const letSignals = handleSignals ? endWithProcess(close, logger) : undefined;
  if (options.signal?.aborted) onSignal();
  else options.signal?.addEventListener("abort", onSignal, { once: true });
  return { address: listening.address, close, [Symbol.asyncDispose]: close };
}

async function settleAll(steps: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(steps);
  const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
  if (errors.length > 0) throw new AggregateError(errors, "plugin could not be closed cleanly");
}
