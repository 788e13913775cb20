import { networkDriverProtocol } from "../protocol/index.ts";
import { answerOf, assertMethods, implement, type Service, toCallOptions } from "../transport/index.ts";
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
  assertMethods((options as Partial<typeof options> | undefined)?.driver, methods, "createNetworkDriverPlugin: driver");
  const { driver } = options;
  const subject = `network driver "${driver.name}"`;
  const service = implement(networkDriverProtocol, {
    getCapabilities: async (_, call) => {
      const { scope, connectivityScope = scope } = await answerOf(
        driver.capabilities(toCallOptions(call)),
        subject,
        "capabilities",
      );
      const GwAllocChecker = driver.skipsGateway !== undefined;
      return { Scope: scope, ConnectivityScope: connectivityScope, GwAllocChecker };
    },
    createNetwork: async (request, call) =>
      done(driver.createNetwork(checkNetwork(request), toNewNetwork(request), toCallOptions(call))),
    deleteNetwork: async (request, call) => done(driver.deleteNetwork(checkNetwork(request), toCallOptions(call))),
    createEndpoint: async ({ Interface, Options, ...ids }, call) => {
      const given = fromWireInterface(Interface);
      const decided = await driver.createEndpoint(
        ...check(ids),
        { ...given, engineOptions: Options },
        toCallOptions(call),
      );
      return { Interface: toWireInterface(withoutGiven(decided ?? {}, given)) };
    },
    deleteEndpoint: async (ids, call) => done(driver.deleteEndpoint(...check(ids), toCallOptions(call))),
    endpointOperInfo: async (ids, call) => ({
      Value: { ...(await driver.endpointInfo(...check(ids), toCallOptions(call))) },
    }),
    join: async ({ SandboxKey, Options, ...ids }, call) => {
      const sandbox = { sandboxKey: SandboxKey, engineOptions: Options };
      return toWireJoined(await answerOf(driver.join(...check(ids), sandbox, toCallOptions(call)), subject, "join"));
    },
    leave: async (ids, call) => done(driver.leave(...check(ids), toCallOptions(call))),
    ...optionalMethods(driver),
  });
  return { service, close: () => driver.close() };
}

function optionalMethods(
  driver: NetworkDriver,
): Partial<Parameters<typeof implement<typeof networkDriverProtocol>>[1]> {
  return {
    ...(driver.programExternalConnectivity && {
      programExternalConnectivity: async ({ Options, ...ids }, call) =>
        done(driver.programExternalConnectivity?.(...check(ids), Options, toCallOptions(call))),
    }),
    ...(driver.revokeExternalConnectivity && {
      revokeExternalConnectivity: async (ids, call) =>
        done(driver.revokeExternalConnectivity?.(...check(ids), toCallOptions(call))),
    }),
    ...(driver.skipsGateway && {
      gwAllocCheck: async ({ Options }, call) => {
        const skipped = await driver.skipsGateway?.(fromWireOptions(Options), toCallOptions(call));
        return { SkipIPv4: skipped?.ipv4 ?? false, SkipIPv6: skipped?.ipv6 ?? false };
      },
    }),
    ...(driver.allocateNetwork && {
      allocateNetwork: async (request, call) => {
        const network = { options: request.Options, ...toPools(request) };
        return {
          Options: { ...(await driver.allocateNetwork?.(checkNetwork(request), network, toCallOptions(call))) },
        };
      },
    }),
    ...(driver.freeNetwork && {
      freeNetwork: async (request, call) => done(driver.freeNetwork?.(checkNetwork(request), toCallOptions(call))),
    }),
    discoverNew: async (request, call) => {
      const node = fromWireNode(request);
      return done(node && driver.discoverNode?.(node, toCallOptions(call)));
    },
    discoverDelete: async (request, call) => {
      const node = fromWireNode(request);
      return done(node && driver.forgetNode?.(node, toCallOptions(call)));
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
