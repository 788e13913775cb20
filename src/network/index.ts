/** Network drivers: the contract (`driver.ts` is the manual), and both ends of Docker's protocol for them. */
export type * from "./driver.ts";
export { createNetworkDriverPlugin, type NetworkDriverPlugin, type NetworkDriverPluginOptions } from "./as-plugin.ts";
export { createNetworkDriverFromPlugin } from "./from-plugin.ts";
export { assertNetworkId, networkIdPattern } from "./network-id.ts";
export { createRemoteNetworkDriver, type RemoteNetworkDriver } from "./remote-driver.ts";
