/**
 * A network driver: each network is a bridge, each endpoint a veth pair. `node bridge.js [NAME|SOCKET] [RECORDS]`, as root.
 *
 *     docker network create --driver bridges blue
 *
 * What is made counts once it is recorded; what is not recorded goes when the driver starts, and what is recorded and the
 * kernel has lost, with the host, is made anew.
 */
import { CleatError } from "cleat/errors";
import { createNetworkDriverPlugin, type EngineOptions, type NetworkDriver } from "cleat/network";
import { createStateFile, serve } from "cleat/plugin";
import { deleteLink, findLink, ip, listLinks } from "./links.js";

interface Records {
  /** The addresses of each network's bridge, in CIDR notation. */
  readonly networks: Record<string, { readonly gateways: readonly string[]; readonly internal: boolean }>;
  /** The network of each endpoint. */
  readonly endpoints: Record<string, string>;
}

/** Names of links have at most 15 bytes, ids 64 digits. */
const nameOf = (prefix: "cb-" | "cv-" | "cc-", id: string): string => prefix + id.slice(0, 12);
const bridgeOf = (networkId: string): string => nameOf("cb-", networkId);
const pairOf = (id: string) => ({ host: nameOf("cv-", id), container: nameOf("cc-", id) });

export async function openBridges(path: string): Promise<NetworkDriver> {
  const file = createStateFile(path);
  let records = ((await file.load()) ?? { networks: {}, endpoints: {} }) as Records;
  let last: Promise<unknown> = Promise.resolve();

  /** Steps are taken one by one. */
  const inTurn = <T>(step: () => Promise<T>): Promise<T> => {
    const next = last.then(step);
    last = next.catch(() => {});
    return next;
  };
  const record = async (change: (records: Records) => void) => {
    const copy = structuredClone(records);
    change(copy);
    await file.save(copy);
    records = copy;
  };
  const networkOf = (id: string) => {
    const network = records.networks[id];
    if (network === undefined) throw new CleatError("NOT_FOUND", `network "${id}" does not exist`);
    return network;
  };

  const links = (await listLinks()).map(({ ifname }) => ifname);
  await record(({ endpoints }) => {
    for (const id of Object.keys(endpoints)) if (!links.includes(pairOf(id).host)) delete endpoints[id];
  });
  const known = new Set([
    ...Object.keys(records.networks).map(bridgeOf),
    ...Object.keys(records.endpoints).flatMap((id) => Object.values(pairOf(id))),
  ]);
  for (const link of links) if (/^c[bvc]-/.test(link) && !known.has(link)) await deleteLink(link);
  for (const [id, { gateways }] of Object.entries(records.networks)) await makeBridge(id, gateways);

  return {
    name: "bridges",
    capabilities: async () => ({ scope: "local" }),
    createNetwork: (id, { options = {}, engineOptions = {}, ipv4 = [], ipv6 = [] }, call) =>
      inTurn(async () => {
        const [unknown] = Object.keys(options);
        if (unknown !== undefined) throw new CleatError("INVALID_ARGUMENT", `option "${unknown}" is not known`);
        const gateways = [...ipv4, ...ipv6].flatMap(({ gateway }) => gateway ?? []);
        await makeBridge(id, gateways, call?.signal);
        await record(({ networks }) => (networks[id] = { gateways, internal: isInternal(engineOptions) }));
      }),
    deleteNetwork: (id, call) =>
      inTurn(async () => {
        const left = Object.entries(records.endpoints).flatMap(([endpoint, network]) =>
          network === id ? endpoint : [],
        );
        for (const endpoint of left) await deleteLink(pairOf(endpoint).host, call?.signal);
        await deleteLink(bridgeOf(id), call?.signal);
        await record(({ networks, endpoints }) => {
          for (const endpoint of left) delete endpoints[endpoint]; // of containers that ended while Docker was away
          delete networks[id];
        });
      }),
    createEndpoint: (networkId, id, _given, call) =>
      inTurn(async () => {
        networkOf(networkId);
        const { host, container } = pairOf(id);
        if ((await findLink(host, call?.signal)) === undefined)
          await ip(["link", "add", host, "type", "veth", "peer", "name", container], call?.signal);
        await ip(["link", "set", host, "master", bridgeOf(networkId), "up"], call?.signal);
        await record(({ endpoints }) => (endpoints[id] = networkId));
        return { macAddress: (await findLink(container, call?.signal))?.address };
      }),
    deleteEndpoint: (_networkId, id, call) =>
      inTurn(async () => {
        await deleteLink(pairOf(id).host, call?.signal);
        await record(({ endpoints }) => delete endpoints[id]);
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
    leave: async () => {}, // the engine takes the link out of the container, or the kernel deletes it with the container
    close: async () => void (await last),
  };
}

const isInternal = (options: EngineOptions): boolean => options["com.docker.network.internal"] === true;

async function makeBridge(id: string, gateways: readonly string[], signal?: AbortSignal): Promise<void> {
  const bridge = bridgeOf(id);
  if ((await findLink(bridge, signal)) === undefined) await ip(["link", "add", bridge, "type", "bridge"], signal);
  for (const gateway of gateways) await ip(["address", "replace", gateway, "dev", bridge], signal);
  await ip(["link", "set", bridge, "up"], signal);
}

const [place = "bridges", path = "/var/lib/bridges/records.json"] = process.argv.slice(2);
const driver = await openBridges(path);
await serve({
  drivers: [createNetworkDriverPlugin({ driver })],
  listen: place.includes("/") ? { unix: place } : place,
});
