import { networkDriverProtocol } from "../protocol/index.ts";
import { type ActivateOptions, activateClient, type Transport } from "../transport/index.ts";
import { createRemoteNetworkDriver, type RemoteNetworkDriver } from "./remote-driver.ts";

/**
 * The network driver behind a transport: activates the plugin and is then what `createRemoteNetworkDriver` makes. The
 * transport stays its maker's to close.
 *
 * @throws FAILED_PRECONDITION when what answers is not a plugin, UNIMPLEMENTED when it is not a network driver.
 * @throws UNAVAILABLE or DEADLINE_EXCEEDED when nobody answers.
 */
export async function createNetworkDriverFromPlugin(
  transport: Transport,
  options: ActivateOptions,
): Promise<RemoteNetworkDriver> {
  return createRemoteNetworkDriver(await activateClient(networkDriverProtocol, transport, options), options);
}
