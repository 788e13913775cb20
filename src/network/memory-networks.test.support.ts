/** A complete network driver that keeps its networks in memory, and both ends of the protocol around it. */
import { CleatError } from "../errors/index.ts";
import { networkDriverProtocol, pluginProtocol } from "../protocol/index.ts";
import { createClient, createHandler, createMemoryTransport, implement } from "../transport/index.ts";
import {
  createNetworkDriverFromPlugin,
  createNetworkDriverPlugin,
  type NetworkDriver,
  type NewNetwork,
} from "./index.ts";

/** Of what it was asked there is a log. */
export function createMemoryNetworks(overrides: Partial<NetworkDriver> = {}) {
  const networks = new Map<string, NewNetwork>();
  const asked: unknown[][] = [];
  const log = (...call: unknown[]) => void asked.push(call);
  const driver: NetworkDriver = {
    name: "memory",
    capabilities: async () => ({ scope: "local", connectivityScope: "global" }),
    async createNetwork(id, network) {
      log("createNetwork", id, network);
      networks.set(id, network);
    },
    async deleteNetwork(id) {
      networks.delete(id);
    },
    async createEndpoint(networkId, id, endpoint) {
      log("createEndpoint", networkId, id, endpoint);
      if (!networks.has(networkId)) throw new CleatError("NOT_FOUND", `network "${networkId}" does not exist`);
      return { address: "10.9.0.9/16", macAddress: "02:00:00:00:00:01" };
    },
    deleteEndpoint: async (...call) => log("deleteEndpoint", ...call.slice(0, 2)),
    endpointInfo: async () => ({ link: "v1", up: true }),
    async join(_networkId, id, sandbox) {
      log("join", id, sandbox);
      const routes = [{ destination: "10.3.0.0/16", nextHop: "10.1.0.9" }, { destination: "10.4.0.0/16" }];
      return { interface: { source: "v1", prefix: "eth" }, gateway: "10.1.0.1", routes };
    },
    leave: async (...call) => log("leave", ...call.slice(0, 2)),
    close: async () => log("close"),
    ...overrides,
  };
  return { driver, asked, log };
}

/** Behind the protocol and in front of it again. */
export async function connect(driver: NetworkDriver) {
  const plugin = createNetworkDriverPlugin({ driver });
  const activation = implement(pluginProtocol, { activate: async () => ({ Implements: ["NetworkDriver"] }) });
  const handler = createHandler([activation, plugin.service]);
  const transport = createMemoryTransport(handler);
  const remote = await createNetworkDriverFromPlugin(transport, { name: "p" });
  /** As an engine's client writes it. */
  const send = async (method: string, body: unknown) => {
    const { status, body: answer } = await handler({
      path: `/NetworkDriver.${method}`,
      query: {},
      body: Buffer.from(JSON.stringify(body)),
      signal: new AbortController().signal,
    });
    return { status, answer: JSON.parse(String(answer)) as Record<string, unknown> };
  };
  return { plugin, remote, send, client: createClient(networkDriverProtocol, transport) };
}
