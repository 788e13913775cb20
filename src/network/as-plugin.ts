import { networkDriverProtocol } from "../protocol/index.ts";
import { assertMethods, implement, type Service } from "../transport/index.ts";
import type { NetworkDriver, NewNetwork } from "./driver.ts";
import { assertNetworkId } from "./network-id.ts";
import {
  fromWireInterface,
  fromWireNode,
  fromWireOptions,
  fromWirePool,
  toWireInterface,
  toWireJoined,
} from "./wire-shapes.ts";

export interface NetworkDriverPluginOptions {
  readonly driver: NetworkDriver;
}

/** A network driver, ready for `serve`. */
export interface NetworkDriverPlugin {
  readonly service: Service;
  /** Closes the driver. Networks and links stay: this process ends, the engine may go on. May be called twice. */
  close(): Promise<void>;
}

/**
 * Serves any network driver over Docker's protocol.
 *
 * - The driver sees ids that `assertNetworkId` takes and no others, and each call's `signal`.
 * - Calls run side by side, also those about one network.
 * - What the driver decided of an endpoint goes out only where the engine has not decided it.
 * - A method that the driver may lack, and does, is not there for engines either; of nodes it hears nothing then.
 *
 * @throws INVALID_ARGUMENT when `driver` lacks a method that it must have.
 */
export function createNetworkDriverPlugin(options: NetworkDriverPluginOptions): NetworkDriverPlugin {
  const { driver } = options;
  assertMethods(driver, methods, "createNetworkDriverPlugin: driver");
  const service = implement(networkDriverProtocol, {
    getCapabilities: async (_, { signal }) => {
      const { scope, connectivityScope = scope } = await driver.capabilities({ signal });
      const GwAllocChecker = driver.skipsGateway !== undefined;
      return { Scope: scope, ConnectivityScope: connectivityScope, GwAllocChecker };
    },
    createNetwork: async (request, { signal }) =>
      done(driver.createNetwork(checkNetwork(request), toNewNetwork(request), { signal })),
    deleteNetwork: async (request, { signal }) => done(driver.deleteNetwork(checkNetwork(request), { signal })),
    createEndpoint: async ({ Interface, Options, ...ids }, { signal }) => {
      const given = fromWireInterface(Interface);
      const decided = await driver.createEndpoint(...check(ids), { ...given, engineOptions: Options }, { signal });
      return { Interface: toWireInterface(withoutGiven(decided ?? {}, given)) };
    },
    deleteEndpoint: async (ids, { signal }) => done(driver.deleteEndpoint(...check(ids), { signal })),
    endpointOperInfo: async (ids, { signal }) => ({
      Value: { ...(await driver.endpointInfo(...check(ids), { signal })) },
    }),
    join: async ({ SandboxKey, Options, ...ids }, { signal }) =>
      toWireJoined(await driver.join(...check(ids), { sandboxKey: SandboxKey, engineOptions: Options }, { signal })),
    leave: async (ids, { signal }) => done(driver.leave(...check(ids), { signal })),
    ...optionalMethods(driver),
  });
  return { service, close: () => driver.close() };
}

function optionalMethods(
  driver: NetworkDriver,
): Partial<Parameters<typeof implement<typeof networkDriverProtocol>>[1]> {
  return {
    ...(driver.programExternalConnectivity && {
      programExternalConnectivity: async ({ Options, ...ids }, { signal }) =>
        done(driver.programExternalConnectivity?.(...check(ids), Options, { signal })),
    }),
    ...(driver.revokeExternalConnectivity && {
      revokeExternalConnectivity: async (ids, { signal }) =>
        done(driver.revokeExternalConnectivity?.(...check(ids), { signal })),
    }),
    ...(driver.skipsGateway && {
      gwAllocCheck: async ({ Options }, { signal }) => {
        const skipped = await driver.skipsGateway?.(fromWireOptions(Options), { signal });
        return { SkipIPv4: skipped?.ipv4 ?? false, SkipIPv6: skipped?.ipv6 ?? false };
      },
    }),
    ...(driver.allocateNetwork && {
      allocateNetwork: async (request, { signal }) => {
        const network = { options: request.Options, ...toPools(request) };
        return { Options: { ...(await driver.allocateNetwork?.(checkNetwork(request), network, { signal })) } };
      },
    }),
    ...(driver.freeNetwork && {
      freeNetwork: async (request, { signal }) => done(driver.freeNetwork?.(checkNetwork(request), { signal })),
    }),
    discoverNew: async (request, { signal }) => {
      const node = fromWireNode(request);
      return done(node && driver.discoverNode?.(node, { signal }));
    },
    discoverDelete: async (request, { signal }) => {
      const node = fromWireNode(request);
      return done(node && driver.forgetNode?.(node, { signal }));
    },
  };
}

const methods: readonly Exclude<keyof NetworkDriver, "name">[] = [
  "capabilities",
  "createNetwork",
  "deleteNetwork",
  "createEndpoint",
  "deleteEndpoint",
  "endpointInfo",
  "join",
  "leave",
  "close",
];

type Pools = Record<"IPv4Data" | "IPv6Data", Parameters<typeof fromWirePool>[0][]>;

function toNewNetwork(request: Pools & { readonly Options: Record<string, unknown> }): NewNetwork {
  return { ...fromWireOptions(request.Options), ...toPools(request) };
}

function toPools({ IPv4Data, IPv6Data }: Pools): Pick<NewNetwork, "ipv4" | "ipv6"> {
  return { ipv4: IPv4Data.map(fromWirePool), ipv6: IPv6Data.map(fromWirePool) };
}

function withoutGiven<T extends object>(decided: T, given: T): T {
  const isGiven = (name: string) => (given as Record<string, unknown>)[name] !== undefined;
  return Object.fromEntries(Object.entries(decided).filter(([name]) => !isGiven(name))) as T;
}

async function done(step: Promise<void> | undefined): Promise<Record<string, never>> {
  await step;
  return {};
}

function checkNetwork({ NetworkID }: { readonly NetworkID: string }): string {
  assertNetworkId(NetworkID, "network");
  return NetworkID;
}

function check({ EndpointID, ...network }: { readonly NetworkID: string; readonly EndpointID: string }) {
  const networkId = checkNetwork(network);
  assertNetworkId(EndpointID, "endpoint");
  return [networkId, EndpointID] as const;
}
