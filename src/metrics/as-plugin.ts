import { metricsCollectorProtocol } from "../protocol/index.ts";
import { assertMethods, implement, type Service, toCallOptions } from "../transport/index.ts";
import type { MetricsCollector } from "./driver.ts";

export interface MetricsCollectorPluginOptions {
  readonly collector: MetricsCollector;
}

/** A metrics collector, ready for `serve`. */
export interface MetricsCollectorPlugin {
  readonly service: Service;
  /** Closes the collector. May be called twice. */
  close(): Promise<void>;
}

/** Serves any metrics collector over Docker's protocol. @throws INVALID_ARGUMENT when `collector` lacks a method. */
export function createMetricsCollectorPlugin(options: MetricsCollectorPluginOptions): MetricsCollectorPlugin {
  assertMethods(
    (options as Partial<typeof options> | undefined)?.collector,
    ["start", "stop", "close"],
    "createMetricsCollectorPlugin: collector",
  );
  const { collector } = options;
  const service = implement(metricsCollectorProtocol, {
    startMetrics: async (_, call) => done(collector.start(toCallOptions(call))),
    stopMetrics: async (_, call) => done(collector.stop(toCallOptions(call))),
  });
  return { service, close: () => collector.close() };
}

async function done(step: Promise<void>): Promise<Record<string, never>> {
  await step;
  return {};
}
