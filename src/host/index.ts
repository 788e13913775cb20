/** The engine's side: find plugins, activate them, call them, and come to no harm by them. */
export type { BreakerPolicy, ClientPolicy } from "./client-policy.ts";
export { createDiscovery, type Discovery } from "./discovery/discovery.ts";
export type { FoundPlugin, PluginChange, UnusablePlugin } from "./discovery/found-plugin.ts";
export type { Locations } from "./discovery/locations.ts";
export {
  type ActivePlugin,
  type AllPlugins,
  createRegistry,
  type GetAllOptions,
  type GetOptions,
  type Registry,
  type RegistryOptions,
} from "./registry.ts";
