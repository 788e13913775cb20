/** Volume drivers: the contract (`driver.ts` is the manual), and both ends of Docker's protocol for them. */
export type * from "./driver.ts";
export { createVolumeDriverPlugin, type VolumeDriverPlugin, type VolumeDriverPluginOptions } from "./as-plugin.ts";
export { createVolumeDriverFromPlugin, type VolumeDriverFromPluginOptions } from "./from-plugin.ts";
export { createRemoteVolumeDriver, type RemoteVolumeDriverOptions } from "./remote-driver.ts";
export { assertVolumeName, volumeNamePattern } from "./volume-name.ts";
