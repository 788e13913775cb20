/**
 * The places where the contract's shapes and those of Docker's protocol differ, both ways. Go leaves nothing out: "".
 */
import type { z } from "zod";
import { CleatError } from "../errors/index.ts";
import type { networkDriverProtocol } from "../protocol/index.ts";
import type {
  AddressPool,
  DiscoveredNode,
  EndpointInterface,
  EngineOptions,
  JoinedEndpoint,
  NewNetwork,
} from "./driver.ts";

type Methods = (typeof networkDriverProtocol)["methods"];
type WireNetwork = z.output<Methods["createNetwork"]["request"]>;
type WirePool = WireNetwork["IPv4Data"][number];
export type WireInterface = NonNullable<z.output<Methods["createEndpoint"]["response"]>["Interface"]>;
type WireJoined = z.output<Methods["join"]["response"]>;
type WireNotification = z.output<Methods["discoverNew"]["request"]>;

/** Where the engine puts what its user gave. Source: moby v20.10.24 `libnetwork/netlabel/labels.go`, `GenericData`. */
const generic = "com.docker.network.generic";

/** @throws INVALID_ARGUMENT when the user's options are no texts. */
export function fromWireOptions(wire: EngineOptions): Pick<NewNetwork, "options" | "engineOptions"> {
  const { [generic]: given = {}, ...engineOptions } = wire;
  return { options: toTexts(given), engineOptions };
}

export function toWireOptions({ options, engineOptions }: Pick<NewNetwork, "options" | "engineOptions">) {
  return { ...engineOptions, [generic]: { ...options } };
}

function toTexts(given: unknown): Record<string, string> {
  const entries = typeof given === "object" && given !== null ? Object.entries(given) : undefined;
  const wrong = entries?.find(([, value]) => typeof value !== "string")?.[0];
  if (entries !== undefined && wrong === undefined) return Object.fromEntries(entries) as Record<string, string>;
  const problem = wrong === undefined ? `"${generic}" is no object` : `the value of option "${wrong}" is no text`;
  throw new CleatError("INVALID_ARGUMENT", `options of the network: ${problem}`);
}

export function fromWirePool({ AddressSpace, Pool, Gateway, AuxAddresses }: WirePool): AddressPool {
  return {
    addressSpace: AddressSpace || undefined,
    pool: Pool || undefined,
    gateway: Gateway || undefined,
    auxAddresses: AuxAddresses,
  };
}

export function toWirePool({ addressSpace = "", pool, gateway, auxAddresses }: AddressPool): WirePool {
  return { AddressSpace: addressSpace, Pool: pool, Gateway: gateway, AuxAddresses: { ...auxAddresses } };
}

export function fromWireInterface(wire: WireInterface | undefined): EndpointInterface {
  return {
    address: wire?.Address || undefined,
    addressIPv6: wire?.AddressIPv6 || undefined,
    macAddress: wire?.MacAddress || undefined,
  };
}

export function toWireInterface({ address = "", addressIPv6 = "", macAddress = "" }: EndpointInterface): WireInterface {
  return { Address: address, AddressIPv6: addressIPv6, MacAddress: macAddress };
}

/** Source: moby v20.10.24 `vendor/github.com/docker/libnetwork/types/types.go`, `NEXTHOP` and `CONNECTED`. */
const routeTypes = { nextHop: 0, connected: 1 } as const;

export function toWireJoined(joined: JoinedEndpoint): WireJoined {
  const { interface: link, gateway = "", gatewayIPv6 = "", routes = [], disableGatewayService = false } = joined;
  return {
    ...(link !== undefined && { InterfaceName: { SrcName: link.source, DstPrefix: link.prefix } }),
    Gateway: gateway,
    GatewayIPv6: gatewayIPv6,
    StaticRoutes: routes.map(({ destination, nextHop = "" }) => ({
      Destination: destination,
      RouteType: nextHop === "" ? routeTypes.connected : routeTypes.nextHop,
      NextHop: nextHop,
    })),
    DisableGatewayService: disableGatewayService,
  };
}

export function fromWireJoined(wire: WireJoined): JoinedEndpoint {
  const { InterfaceName: link, Gateway, GatewayIPv6, StaticRoutes, DisableGatewayService } = wire;
  return {
    interface: link && { source: link.SrcName, prefix: link.DstPrefix },
    gateway: Gateway || undefined,
    gatewayIPv6: GatewayIPv6 || undefined,
    routes: StaticRoutes.map(({ Destination, NextHop }) => ({
      destination: Destination,
      nextHop: NextHop || undefined,
    })),
    disableGatewayService: DisableGatewayService,
  };
}

/** Source: moby v20.10.24 `libnetwork/discoverapi/discoverapi.go`, `NodeDiscovery` and `NodeDiscoveryData`. */
const nodeDiscovery = 1;

export function toWireNode({ address, bindAddress = "", self }: DiscoveredNode): WireNotification {
  return { DiscoveryType: nodeDiscovery, DiscoveryData: { Address: address, BindAddress: bindAddress, Self: self } };
}

/** `undefined` for a notification that is about no node: engines send none to plugins. */
export function fromWireNode({ DiscoveryType, DiscoveryData }: WireNotification): DiscoveredNode | undefined {
  if (DiscoveryType !== nodeDiscovery || typeof DiscoveryData !== "object" || DiscoveryData === null) return undefined;
  const fields = new Map(Object.entries(DiscoveryData).map(([name, value]) => [name.toLowerCase(), value as unknown]));
  const text = (name: string) => (typeof fields.get(name) === "string" ? (fields.get(name) as string) : "");
  return { address: text("address"), bindAddress: text("bindaddress") || undefined, self: fields.get("self") === true };
}
