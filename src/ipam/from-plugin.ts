import { ipamDriverProtocol } from "../protocol/index.ts";
import { type ActivateOptions, activateClient, type Transport } from "../transport/index.ts";
import type { IpamDriver } from "./driver.ts";
import { createRemoteIpamDriver } from "./remote-driver.ts";

/**
 * The IPAM driver behind a transport: activates the plugin and is then what `createRemoteIpamDriver` makes. The
 * transport stays its maker's to close.
 *
 * @throws FAILED_PRECONDITION when what answers is not a plugin, UNIMPLEMENTED when it is not an IPAM driver.
 * @throws UNAVAILABLE or DEADLINE_EXCEEDED when nobody answers.
 */
export async function createIpamDriverFromPlugin(transport: Transport, options: ActivateOptions): Promise<IpamDriver> {
  return createRemoteIpamDriver(await activateClient(ipamDriverProtocol, transport, options), options);
}
