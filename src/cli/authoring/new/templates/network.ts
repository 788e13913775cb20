import { kitOf, mainOf, type ProjectTemplate } from "../project-template.ts";

/** Records that survive, and no links: those are what its author has to make. */
export const networkTemplate: ProjectTemplate = {
  kind: "network",
  implements: "NetworkDriver",
  summary: "A network driver for Docker. It begins with networks that are kept, and have no links yet.",
  page: "docs/network-plugins.md",
  files: (name) => ({
    "src/driver.ts": driver(name),
    "src/main.ts": mainOf(name, {
      serve: ["createNetworkDriverPlugin", "cleat/network"],
      open: "openDriver",
      given: "{ driver }",
    }),
    "src/driver.test.ts": kitOf({
      checks: "networkDriverChecks",
      run: "runNetworkDriverKit",
      open: "openDriver",
      given: "open: () => openDriver(folder)",
    }),
  }),
};

const driver = (name: string) => `import { CleatError } from "cleat/errors";
import type { NetworkDriver } from "cleat/network";
import { openStore } from "cleat/state";
import { z } from "zod";

/** The engine keeps networks over its restarts, and creates none again: so they are kept here, too. */
const tables = {
  networks: z.strictObject({ pools: z.array(z.string()) }),
  /** The network of each. */
  endpoints: z.strictObject({ networkId: z.string() }),
};

/** The manual is at \`NetworkDriver\`. Each method may be called again, and finishes what was begun. */
export async function openDriver(folder: string): Promise<NetworkDriver> {
  const store = await openStore({ folder, tables });
  const { networks, endpoints } = store.tables;
  const assertThere = (id: string) => {
    if (networks.get(id) === undefined) throw new CleatError("NOT_FOUND", \`network "\${id}" does not exist\`);
  };
  return {
    name: "${name}",
    capabilities: async () => ({ scope: "local" }),
    async createNetwork(id, { options = {}, ipv4 = [], ipv6 = [] }) {
      const [unknown] = Object.keys(options); // what users may give with --opt
      if (unknown !== undefined) throw new CleatError("INVALID_ARGUMENT", \`option "\${unknown}" is not known\`);
      // Make a bridge, or whatever connects the containers, here, before it is recorded.
      await networks.put(id, { pools: [...ipv4, ...ipv6].flatMap(({ pool }) => pool ?? []) });
    },
    deleteNetwork: (id) =>
      store.transact((drafts) => {
        for (const [endpoint, { networkId }] of drafts.endpoints.entries())
          if (networkId === id) drafts.endpoints.delete(endpoint); // of what ended while Docker was away
        drafts.networks.delete(id);
      }),
    async createEndpoint(networkId, id) {
      assertThere(networkId);
      // Make the container's link here.
      await endpoints.put(id, { networkId });
      return {};
    },
    deleteEndpoint: async (_networkId, id) => void (await endpoints.delete(id)),
    endpointInfo: async () => ({}),
    async join(networkId) {
      assertThere(networkId);
      // With a link: { interface: { source: "its name", prefix: "eth" }, gateway: "10.1.0.1" }
      return { disableGatewayService: true };
    },
    leave: async () => {},
    close: () => store.close(),
  };
}
`;
