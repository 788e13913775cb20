/** IPAM drivers: the contract (`driver.ts` is the manual), and both ends of Docker's protocol for them. */
export type * from "./driver.ts";
export { createIpamDriverPlugin, type IpamDriverPlugin, type IpamDriverPluginOptions } from "./as-plugin.ts";
export { createIpamDriverFromPlugin } from "./from-plugin.ts";
export { createRemoteIpamDriver } from "./remote-driver.ts";
