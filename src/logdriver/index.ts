/**
 * Log drivers: the contract (`driver.ts` is the manual), both ends of Docker's protocol, and what reading back takes.
 */
export type * from "./driver.ts";
export { createLogDriverPlugin, type LogDriverPlugin, type LogDriverPluginOptions } from "./as-plugin.ts";
export type { DropPolicy } from "./entry-buffer.ts";
export { encodeFrame } from "./entry-codec.ts";
export { createLogDriverFromPlugin, type LogDriverFromPluginOptions } from "./from-plugin.ts";
export { createFrameReader, type FrameReader } from "./frame-reader.ts";
export { createLogFeed, type LogFeed } from "./log-feed.ts";
export type { LogStatus } from "./open-log.ts";
export { joinPartials, selectEntries } from "./select-entries.ts";
