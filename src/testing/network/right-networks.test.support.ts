/** A network plugin that does everything right, but that its links are only names. */
import { CleatError } from "../../errors/index.ts";
import { createNetworkDriverPlugin, type NetworkDriver } from "../../network/index.ts";
import type { RightPlugin } from "../faulty-plugin.test.support.ts";

export interface NetworkStore {
  readonly networks: Set<string>;
  /** The network of each. */
  readonly endpoints: Map<string, string>;
}

/** The kernel's, which outlive every process. */
export const links = new Set<string>();
export const linkOf = (endpoint: string): string => `cc-${endpoint.slice(0, 12)}`;

const emptyStore = (): NetworkStore => ({ networks: new Set(), endpoints: new Map() });

export function createMemoryNetworks({ networks, endpoints }: NetworkStore = emptyStore()): NetworkDriver {
  const assertThere = (id: string) => {
    if (!networks.has(id)) throw new CleatError("NOT_FOUND", `network "${id}" does not exist`);
  };
  return {
    name: "memory",
    capabilities: async () => ({ scope: "local" }),
    createNetwork: async (id) => void networks.add(id),
    async deleteNetwork(id) {
      for (const [endpoint, network] of endpoints) {
        if (network !== id) continue;
        endpoints.delete(endpoint);
        links.delete(linkOf(endpoint));
      }
      networks.delete(id);
    },
    async createEndpoint(network, id, { macAddress }) {
      assertThere(network);
      endpoints.set(id, network);
      links.add(linkOf(id));
      return macAddress === undefined ? { macAddress: `02:00:00:${id.replace(/^(..)(..)(..).*/, "$1:$2:$3")}` } : {};
    },
    async deleteEndpoint(_, id) {
      endpoints.delete(id);
      links.delete(linkOf(id));
    },
    endpointInfo: async (_, id) => ({ link: linkOf(id) }),
    async join(network, id) {
      assertThere(network);
      return { interface: { source: linkOf(id), prefix: "eth" }, gateway: "198.18.0.1" };
    },
    leave: async () => {},
    close: async () => {},
  };
}

export const rightNetworks: RightPlugin<NetworkDriver, NetworkStore> = {
  implements: "NetworkDriver",
  createStore: emptyStore,
  open: (_, store) => createMemoryNetworks(store),
  serve: (driver) => createNetworkDriverPlugin({ driver }),
};
