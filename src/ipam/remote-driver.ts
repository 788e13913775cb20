import { type Client, ipamDriverProtocol } from "../protocol/index.ts";
import { unlessUnimplemented } from "../transport/index.ts";
import type { IpamDriver } from "./driver.ts";
import { assertCidr, toWireAddressRequest, toWirePoolRequest } from "./wire-shapes.ts";

/**
 * An IPAM driver behind a client: a driver like any other. What the plugin answers as failure is a `RemoteError`, with
 * its code where the plugin is Cleat's.
 *
 * - A plugin that does not know the method has no `capabilities`.
 * - `requestPool` and `requestAddress` reject with DATA_LOSS when the plugin answers no pool or address in CIDR
 *   notation.
 * - `close` sends nothing: the driver is the plugin's.
 */
export function createRemoteIpamDriver(
  client: Client<typeof ipamDriverProtocol>,
  { name }: { readonly name: string },
): IpamDriver {
  const { requestPool, requestAddress } = ipamDriverProtocol.methods;
  const subjectOf = ({ path }: { readonly path: string }) => `answer of ${path} on plugin "${name}":`;
  return {
    name,
    async capabilities(call) {
      const answer = await unlessUnimplemented(client.getCapabilities({}, call), undefined);
      const { RequiresMACAddress = false, RequiresRequestReplay = false } = answer ?? {};
      return { requiresMacAddress: RequiresMACAddress, requiresRequestReplay: RequiresRequestReplay };
    },
    async defaultAddressSpaces(call) {
      const answer = await client.getDefaultAddressSpaces({}, call);
      return { local: answer.LocalDefaultAddressSpace, global: answer.GlobalDefaultAddressSpace };
    },
    async requestPool(request, call) {
      const { PoolID, Pool, Data } = await client.requestPool(toWirePoolRequest(request), call);
      assertCidr(Pool, `${subjectOf(requestPool)} pool`, "DATA_LOSS");
      return { id: PoolID, pool: Pool, data: Data };
    },
    async releasePool(poolId, call) {
      await client.releasePool({ PoolID: poolId }, call);
    },
    async requestAddress(poolId, request = {}, call) {
      const { Address, Data } = await client.requestAddress(toWireAddressRequest(poolId, request), call);
      assertCidr(Address, `${subjectOf(requestAddress)} address`, "DATA_LOSS");
      return { address: Address, data: Data };
    },
    async releaseAddress(poolId, address, call) {
      await client.releaseAddress({ PoolID: poolId, Address: address }, call);
    },
    async close() {},
  };
}
