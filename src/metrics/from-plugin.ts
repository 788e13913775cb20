import { type Client, metricsCollectorProtocol } from "../protocol/index.ts";
import { type ActivateOptions, activateClient, type Transport } from "../transport/index.ts";
import type { MetricsCollector } from "./driver.ts";

/** A metrics collector behind a client: one like any other. `close` sends nothing: the collector is the plugin's. */
export function createRemoteMetricsCollector(
  client: Client<typeof metricsCollectorProtocol>,
  { name }: { readonly name: string },
): MetricsCollector {
  return {
    name,
    async start(call) {
      await client.startMetrics({}, call);
    },
    async stop(call) {
      await client.stopMetrics({}, call);
    },
    async close() {},
  };
}

/**
 * The metrics collector behind a transport, which is activated first and stays its maker's to close.
 *
 * @throws FAILED_PRECONDITION when what answers is not a plugin, UNIMPLEMENTED when it is not a metrics collector.
 * @throws UNAVAILABLE or DEADLINE_EXCEEDED when nobody answers.
 */
export async function createMetricsCollectorFromPlugin(
  transport: Transport,
  options: ActivateOptions,
): Promise<MetricsCollector> {
  return createRemoteMetricsCollector(await activateClient(metricsCollectorProtocol, transport, options), options);
}
