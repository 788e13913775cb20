import type { Server } from "node:net";
import { type Listening, silentLogger } from "../../transport/index.ts";
import type { ImplementedService } from "../services/sides.ts";
import { createGrpcServer, type GrpcServerOptions } from "./server.ts";

export interface ServeGrpcOptions extends GrpcServerOptions {
  readonly services: readonly ImplementedService[];
  /**
   * Makes the server listen: `(server) => listenOnUnix(server, { unix })` of `cleat/plugin`, or `listenOnInherited`.
   */
  listen(server: Server): Promise<Listening>;
  /** Called once after the last call. */
  close?(): Promise<void>;
  /** How long running calls may take once the server closes; default 8 s, so that all of it ends within 10. */
  readonly drainTimeoutMs?: number;
  /** Closes the server. */
  readonly signal?: AbortSignal;
}

export interface RunningGrpcServer extends AsyncDisposable {
  readonly address: string;
  /** Disappears for new callers, lets running calls finish, then calls `options.close`. May be called twice. */
  close(): Promise<void>;
}

/** Serves gRPC services until it is closed. @throws what `listen` throws; `options.close` is not called then. */
export async function serveGrpc(options: ServeGrpcOptions): Promise<RunningGrpcServer> {
  const { services, logger = silentLogger, drainTimeoutMs = 8_000, signal } = options;
  const { server, drain } = createGrpcServer(services, options);
  const listening = await options.listen(server);
  logger.info({ address: listening.address, services: services.map(({ service }) => service.name) }, "serving");

  const shutDown = async () => {
    signal?.removeEventListener("abort", onSignal);
    const removed = listening.remove();
    removed.catch(() => {}); // told in the end; unheard until then it would end the process, and all calls that run
    const brokenOff = await drain(drainTimeoutMs);
    if (brokenOff > 0) logger.warn({ brokenOff, drainTimeoutMs }, "connections were broken off");
    const outcomes = await Promise.allSettled([removed, options.close?.()]);
    const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
    if (errors.length > 0) throw new AggregateError(errors, "server could not be closed cleanly");
    logger.info({ address: listening.address }, "closed");
  };
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= shutDown());
  const onSignal = () => void close().catch((error: unknown) => logger.error({ err: error }, "could not close"));
  if (signal?.aborted) onSignal();
  else signal?.addEventListener("abort", onSignal, { once: true });
  return { address: listening.address, close, [Symbol.asyncDispose]: close };
}
