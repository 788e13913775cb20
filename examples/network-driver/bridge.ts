/**
 * A network driver: each network is a bridge, each endpoint a veth pair. `node bridge.js [NAME|SOCKET] [FOLDER]`, as
 * root.
 *
 *     docker network create --driver bridges blue
 *
 * What is made counts once it is recorded; what is not recorded goes when the driver starts, and what is recorded and
 * the kernel has lost, with the host, is made anew.
 */
import { CleatError } from "cleat/errors";
import { createNetworkDriverPlugin, type EngineOptions, type NetworkDriver } from "cleat/network";
import { serve } from "cleat/plugin";
import { openStore } from "cleat/state";
import { z } from "zod";
import { deleteLink, findLink, ip, listLinks } from "./links.js";

const tables = {
  /** The addresses of each network's bridge, in CIDR notation. */
  networks: z.strictObject({ gateways: z.array(z.string()), internal: z.boolean() }),
  /** The network of each endpoint. */
  endpoints: z.strictObject({ networkId: z.string() }),
};

/** Names of links have at most 15 bytes, ids 64 digits. */
const nameOf = (prefix: "cb-" | "cv-" | "cc-", id: string): string => prefix + id.slice(0, 12);
const bridgeOf = (networkId: string): string => nameOf("cb-", networkId);
const pairOf = (id: string) => ({ host: nameOf("cv-", id), container: nameOf("cc-", id) });

export async function openBridges(folder: string): Promise<NetworkDriver> {
  const store = await openStore({ folder, tables });
  const { networks, endpoints } = store.tables;
  const networkOf = (id: string) => {
    const network = networks.get(id);
    if (network === undefined) throw new CleatError("NOT_FOUND", `network "${id}" does not exist`);
    return network;
  };
  let last: Promise<unknown> = Promise.resolve();
  /** Steps are taken one by one. */
  const inTurn = <T>(step: () => Promise<T>): Promise<T> => {
    const next = last.then(step);
    last = next.catch(() => {});
    return next;
  };

  const links = (await listLinks()).map(({ ifname }) => ifname);
  for (const [id] of endpoints.entries()) if (!links.includes(pairOf(id).host)) await endpoints.delete(id);
  const known = new Set([
    ...[...networks.entries()].map(([id]) => bridgeOf(id)),
    ...[...endpoints.entries()].flatMap(([id]) => Object.values(pairOf(id))),
  ]);
  for (const link of links) if (/^c[bvc]-/.test(link) && !known.has(link)) await deleteLink(link);
  for (const [id, { gateways }] of networks.entries()) await makeBridge(id, gateways);

  return {
    name: "bridges",
    capabilities: async () => ({ scope: "local" }),
    createNetwork: (id, { options = {}, engineOptions = {}, ipv4 = [], ipv6 = [] }, call) =>
      inTurn(async () => {
        const [unknown] = Object.keys(options);
        if (unknown !== undefined) throw new CleatError("INVALID_ARGUMENT", `option "${unknown}" is not known`);
        const gateways = [...ipv4, ...ipv6].flatMap(({ gateway }) => gateway ?? []);
        await makeBridge(id, gateways, call?.signal);
        await networks.put(id, { gateways, internal: isInternal(engineOptions) });
      }),
    deleteNetwork: (id, call) =>
      inTurn(async () => {
        const left = [...endpoints.entries()].flatMap(([endpoint, { networkId }]) =>
          networkId === id ? endpoint : [],
        );
        for (const endpoint of left) await deleteLink(pairOf(endpoint).host, call?.signal);
        await deleteLink(bridgeOf(id), call?.signal);
        await store.transact((drafts) => {
          for (const endpoint of left) drafts.endpoints.delete(endpoint); // of what ended while Docker was away
          drafts.networks.delete(id);
        });
      }),
    createEndpoint: (networkId, id, _given, call) =>
      inTurn(async () => {
        networkOf(networkId);
        const { host, container } = pairOf(id);
        if ((await findLink(host, call?.signal)) === undefined)
          await ip(["link", "add", host, "type", "veth", "peer", "name", container], call?.signal);
        await ip(["link", "set", host, "master", bridgeOf(networkId), "up"], call?.signal);
        await endpoints.put(id, { networkId });
        return { macAddress: (await findLink(container, call?.signal))?.address };
      }),
    deleteEndpoint: (_networkId, id, call) =>
      inTurn(async () => {
        await deleteLink(pairOf(id).host, call?.signal);
        await endpoints.delete(id);
      }),
    endpointInfo: async (_networkId, id) => ({ Link: pairOf(id).host }),
    async join(networkId, id) {
      const { gateways, internal } = networkOf(networkId);
      const [gateway] = gateways.map((address) => address.split("/")[0] as string).filter((one) => !one.includes(":"));
      return {
        interface: { source: pairOf(id).container, prefix: "eth" },
        ...(internal || gateway === undefined ? { disableGatewayService: true } : { gateway }),
      };
    },
    skipsGateway: async ({ engineOptions = {} }) => ({
      ipv4: isInternal(engineOptions),
      ipv6: isInternal(engineOptions),
    }),
    async programExternalConnectivity(_networkId, id, options) {
      const ports = options["com.docker.network.portmap"];
      if (Array.isArray(ports) && ports.length > 0)
        throw new CleatError("FAILED_PRECONDITION", `endpoint "${id}": ports are not published here`);
    },
    revokeExternalConnectivity: async () => {},
    // The engine takes the link out of the container, or the kernel deletes it with the container.
    leave: async () => {},
    async close() {
      await last;
      await store.close();
    },
  };
}

const isInternal = (options: EngineOptions): boolean => options["com.docker.network.internal"] === true;

async function makeBridge(id: string, gateways: readonly string[], signal?: AbortSignal): Promise<void> {
  const bridge = bridgeOf(id);
  if ((await findLink(bridge, signal)) === undefined) await ip(["link", "add", bridge, "type", "bridge"], signal);
  for (const gateway of gateways) await ip(["address", "replace", gateway, "dev", bridge], signal);
  await ip(["link", "set", bridge, "up"], signal);
}

const [place = "bridges", folder = "/var/lib/bridges"] = process.argv.slice(2);
const driver = await openBridges(folder);
await serve({
  drivers: [createNetworkDriverPlugin({ driver })],
  listen: place.includes("/") ? { unix: place } : place,
});
