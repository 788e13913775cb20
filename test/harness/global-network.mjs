/** A network plugin of scope `global` that makes nothing, `node global-network.mjs SOCKET`: what a swarm says to one. */
import { createNetworkDriverPlugin } from "cleat/network";
import { serve } from "cleat/plugin";

const nothing = async () => {};
const driver = {
  name: "global",
  capabilities: async () => ({ scope: "global" }),
  createNetwork: nothing,
  deleteNetwork: nothing,
  createEndpoint: async () => ({}),
  deleteEndpoint: nothing,
  endpointInfo: async () => ({}),
  join: async () => ({ disableGatewayService: true }),
  leave: nothing,
  allocateNetwork: async (_id, { options }) => ({ ...options, segment: "4242" }),
  freeNetwork: nothing,
  discoverNode: nothing,
  forgetNode: nothing,
  close: nothing,
};
await serve({ drivers: [createNetworkDriverPlugin({ driver })], listen: { unix: process.argv[2] } });
