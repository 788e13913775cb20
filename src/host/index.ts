/** The engine's side: find plugins, activate them, call them, and come to no harm by them. */
export type { BreakerPolicy, ClientPolicy } from "./client-policy.ts";
export { createDiscovery, type Discovery, type DiscoveryOptions } from "./discovery/discovery.ts";
export type { FoundPlugin, PluginChange, UnusablePlugin } from "./discovery/look-up/found-plugin.ts";
export {
  type ActivePlugin,
  type AllPlugins,
  createRegistry,
  type GetAllOptions,
  type GetOptions,
  type Registry,
  type RegistryOptions,
} from "./registry.ts";
export {
  type Exchange,
  type RawHeaders,
  type RecordedBody,
  recordedBytes,
  type RecordedRequest,
  type RecordedResponse,
} from "./trace/exchange.ts";
export {
  createFixtureFile,
  type CreateFixtureFileOptions,
  type FixtureFile,
  readFixtureFile,
} from "./trace/fixture-file.ts";
export {
  type Fixture,
  type FixtureHeader,
  formatExchange,
  formatFixtureHeader,
  parseFixture,
} from "./trace/fixture.ts";
export { createRecordingProxy, type RecordingProxy, type RecordingProxyOptions } from "./trace/recording-proxy.ts";
export type { VolumePlugin } from "./volume-plugin/volume-plugin.ts";
export {
  createVolumePlugins,
  type OpenVolumePluginOptions,
  type VolumePlugins,
  type VolumePluginsOptions,
} from "./volume-plugin/volume-plugins.ts";
export { type Locations, pluginLocations, type UserContext } from "../transport/index.ts";
