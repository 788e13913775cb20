/**
 * The contract of graph drivers (`driver.ts` is the manual), and both ends of Docker's protocol for them. What drivers
 * stand on is in `kit.ts`.
 */
export type { CallOptions } from "../protocol/index.ts";
export type * from "./driver.ts";
export type * from "./driver-factory.ts";
export type * from "./probe-report.ts";
export type * from "./store-jobs.ts";
export type * from "./survey.ts";
export { forEachChunk } from "./streams/for-each-chunk.ts";
export { type GivenOptions, optionsForHost, readDriverOptions } from "./driver-options.ts";
export { type StoreFinding, type StoreFindingKind, storeFindingKinds } from "./finding.ts";
export { assertNotServed } from "./home/folders/served-home.ts";
export { recognizeHome } from "./inspect/recognize-home.ts";
export { assertLayerId, layerIdPattern } from "./layer-id.ts";
export { createGraphDriverPlugin, type GraphDriverPlugin, type GraphDriverPluginOptions } from "./plugin/as-plugin.ts";
export { createGraphDriverFromPlugin, type FromPluginOptions } from "./plugin/from-plugin.ts";
export { createRemoteGraphDriver, type RemoteGraphDriverOptions } from "./plugin/remote-driver.ts";
export { type InitRecord, type InitStore, readInitRecord } from "./plugin/init-record.ts";
