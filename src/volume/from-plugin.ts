import { volumeDriverProtocol } from "../protocol/index.ts";
import { activateClient, type ActivateOptions, type Transport } from "../transport/index.ts";
import type { VolumeDriver } from "./driver.ts";
import { createRemoteVolumeDriver, type RemoteVolumeDriverOptions } from "./remote-driver.ts";

export interface VolumeDriverFromPluginOptions extends RemoteVolumeDriverOptions, ActivateOptions {}

/**
 * The volume driver behind a transport: activates the plugin and is then what `createRemoteVolumeDriver` makes, which
 * is all that a plugin needs which somebody has activated already. The transport stays its maker's to close.
 *
 * @throws FAILED_PRECONDITION when what answers is not a plugin, UNIMPLEMENTED when it is not a volume driver.
 * @throws UNAVAILABLE or DEADLINE_EXCEEDED when nobody answers.
 */
export async function createVolumeDriverFromPlugin(
  transport: Transport,
  options: VolumeDriverFromPluginOptions,
): Promise<VolumeDriver> {
  return createRemoteVolumeDriver(await activateClient(volumeDriverProtocol, transport, options), options);
}
