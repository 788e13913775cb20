/** Metrics collectors: the contract (`driver.ts` is the manual), and both ends of Docker's protocol for them. */
export { type MetricsCollector, metricsSocket } from "./driver.ts";
export {
  createMetricsCollectorPlugin,
  type MetricsCollectorPlugin,
  type MetricsCollectorPluginOptions,
} from "./as-plugin.ts";
export { createMetricsCollectorFromPlugin, createRemoteMetricsCollector } from "./from-plugin.ts";
