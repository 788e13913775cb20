import { SchemaError } from "../errors/index.ts";
import { type Client, networkDriverProtocol } from "../protocol/index.ts";
import { unlessUnimplemented } from "../transport/index.ts";
import type { NetworkCapabilities, NetworkDriver, NewNetwork } from "./driver.ts";
import { assertNetworkId } from "./network-id.ts";
import {
  fromWireInterface,
  fromWireJoined,
  toWireInterface,
  toWireNode,
  toWireOptions,
  toWirePool,
} from "./wire-shapes.ts";

/** A network driver behind a plugin has every method: what the plugin lacks is passed over, or UNIMPLEMENTED. */
export type RemoteNetworkDriver = Required<NetworkDriver>;

/**
 * A network driver behind a client: a driver like any other. What the plugin answers as failure is a `RemoteError`,
 * with its code where the plugin is Cleat's.
 *
 * - `capabilities` rejects with DATA_LOSS when the plugin answers another scope than `local` and `global`: Docker
 *   refuses such a plugin.
 * - `skipsGateway` is asked only of a plugin whose capabilities say that it knows; of others the answer is no.
 * - A plugin may lack the methods for external connectivity and for nodes, as it may with Docker; one that lacks
 *   `allocateNetwork` rejects with UNIMPLEMENTED.
 * - `close` sends nothing: the driver is the plugin's.
 */
export function createRemoteNetworkDriver(
  client: Client<typeof networkDriverProtocol>,
  { name }: { readonly name: string },
): RemoteNetworkDriver {
  const idsOf = (NetworkID: string, EndpointID: string) => {
    assertNetworkId(EndpointID, "endpoint");
    return { NetworkID: checkNetwork(NetworkID), EndpointID };
  };
  return {
    name,
    capabilities: async (call) => toCapabilities(await client.getCapabilities({}, call), name),
    async createNetwork(networkId, network, call) {
      const request = { NetworkID: checkNetwork(networkId), Options: toWireOptions(network), ...toWirePools(network) };
      await client.createNetwork(request, call);
    },
    async deleteNetwork(networkId, call) {
      await client.deleteNetwork({ NetworkID: checkNetwork(networkId) }, call);
    },
    async createEndpoint(networkId, endpointId, { engineOptions = {}, ...given }, call) {
      const request = {
        ...idsOf(networkId, endpointId),
        Interface: toWireInterface(given),
        Options: { ...engineOptions },
      };
      const { Interface } = await client.createEndpoint(request, call);
      return fromWireInterface(Interface);
    },
    async deleteEndpoint(networkId, endpointId, call) {
      await client.deleteEndpoint(idsOf(networkId, endpointId), call);
    },
    async endpointInfo(networkId, endpointId, call) {
      return (await client.endpointOperInfo(idsOf(networkId, endpointId), call)).Value;
    },
    async join(networkId, endpointId, { sandboxKey, engineOptions = {} }, call) {
      const request = { ...idsOf(networkId, endpointId), SandboxKey: sandboxKey, Options: { ...engineOptions } };
      return fromWireJoined(await client.join(request, call));
    },
    async leave(networkId, endpointId, call) {
      await client.leave(idsOf(networkId, endpointId), call);
    },
    async programExternalConnectivity(networkId, endpointId, options, call) {
      const request = { ...idsOf(networkId, endpointId), Options: { ...options } };
      await unlessUnimplemented(client.programExternalConnectivity(request, call), undefined);
    },
    async revokeExternalConnectivity(networkId, endpointId, call) {
      await unlessUnimplemented(client.revokeExternalConnectivity(idsOf(networkId, endpointId), call), undefined);
    },
    async skipsGateway(network, call) {
      const { GwAllocChecker } = await client.getCapabilities({}, call);
      if (!GwAllocChecker) return { ipv4: false, ipv6: false };
      const { SkipIPv4, SkipIPv6 } = await client.gwAllocCheck({ Options: toWireOptions(network) }, call);
      return { ipv4: SkipIPv4, ipv6: SkipIPv6 };
    },
    async allocateNetwork(networkId, network, call) {
      const request = { NetworkID: checkNetwork(networkId), Options: { ...network.options }, ...toWirePools(network) };
      return (await client.allocateNetwork(request, call)).Options;
    },
    async freeNetwork(networkId, call) {
      await client.freeNetwork({ NetworkID: checkNetwork(networkId) }, call);
    },
    async discoverNode(node, call) {
      await unlessUnimplemented(client.discoverNew(toWireNode(node), call), undefined);
    },
    async forgetNode(node, call) {
      await unlessUnimplemented(client.discoverDelete(toWireNode(node), call), undefined);
    },
    async close() {},
  };
}

function checkNetwork(networkId: string): string {
  assertNetworkId(networkId, "network");
  return networkId;
}

function toWirePools({ ipv4 = [], ipv6 = [] }: NewNetwork) {
  return { IPv4Data: ipv4.map(toWirePool), IPv6Data: ipv6.map(toWirePool) };
}

/** Source: moby v20.10.24 `vendor/github.com/docker/libnetwork/drivers/remote/driver.go`, `getCapabilities`. */
function toCapabilities(
  { Scope, ConnectivityScope }: { readonly Scope: string; readonly ConnectivityScope: string },
  plugin: string,
): NetworkCapabilities {
  return {
    scope: toScope("Scope", Scope, plugin),
    connectivityScope: toScope("ConnectivityScope", ConnectivityScope || Scope, plugin),
  };
}

function toScope(path: string, scope: string, plugin: string): "local" | "global" {
  if (scope === "local" || scope === "global") return scope;
  const subject = `answer of ${networkDriverProtocol.methods.getCapabilities.path} on plugin "${plugin}"`;
  throw new SchemaError("DATA_LOSS", subject, [{ path, problem: `${JSON.stringify(scope)} is not local or global` }]);
}
