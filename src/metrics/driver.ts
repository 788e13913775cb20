/**
 * The contract of metrics collectors. This file is the manual.
 *
 * A metrics collector reads Docker's own metrics, in Prometheus's text format, off a unix socket, whenever it wants to:
 *
 *     docker plugin enable NAME       start()        GET /metrics on the socket answers from now on
 *     the daemon stops                stop()         the socket goes
 *
 * The socket is `/run/docker/metrics.sock` within the plugin, where Docker mounts it: metrics are for managed plugins
 * (`docker plugin create`). **A plugin on a socket of its own must not be one:** when Docker activates it, for
 * whatever, the call that made it do so never ends, as the activation asks for the plugin that it is about to activate.
 *
 * `start` comes again after each restart of the daemon, with a new socket in the old one's place: it may be called
 * while collecting. Nothing survives, and nothing has to.
 *
 * Source of the semantics: moby v20.10.24 `daemon/metrics_unix.go`, `daemon/metrics.go`,
 * `pkg/plugins/plugins.go` (`activate`, `runHandlers`).
 */
import type { CallOptions } from "../protocol/index.ts";

export interface MetricsCollector {
  /** The collector's name, for errors. */
  readonly name: string;

  /** The socket is there. Collecting already is no failure. */
  start(call?: CallOptions): Promise<void>;

  /** The socket goes. Not collecting is no failure. */
  stop(call?: CallOptions): Promise<void>;

  /** This process ends. May be called twice. */
  close(): Promise<void>;
}

/** Where a managed plugin finds the socket. */
export const metricsSocket = "/run/docker/metrics.sock";
