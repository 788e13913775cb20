/**
 * The network driver contract. This file is the manual.
 *
 * A network driver makes **networks**, and within them **endpoints**, a container's end of a network. An endpoint is
 * made, joins a sandbox (what is Docker's word for a container's own network), leaves it, and is removed; it joins
 * once.
 *
 *     docker network create --driver NAME blue    createNetwork(n, { options, ipv4: [{ pool, gateway }] })
 *     docker run --network blue                   createEndpoint(n, e, { address: "10.1.0.2/16" })
 *                                                 join(n, e, { sandboxKey })       the engine moves the link
 *                                                 programExternalConnectivity(n, e)
 *     the container ends                          revokeExternalConnectivity(n, e), leave(n, e), deleteEndpoint(n, e)
 *     docker network rm blue                      deleteNetwork(n)
 *
 * Addresses come from an IPAM driver, which the engine asks before it calls here and after: a network driver makes
 * links and gives them to the engine, which renames them, sets their addresses and adds the routes.
 *
 * ## Words
 *
 * - **network id**, **endpoint id**: 64 hexadecimal digits of the engine's; `createNetworkDriverPlugin` hands nothing
 *   on that is not of the form `networkIdPattern`, so that they may be part of a path or of a link's name.
 * - **source**: the link that the driver made in the host's network, for the engine to take.
 * - **gateway**: in `createNetwork` an address of the pool in CIDR notation, reserved for the driver; in `join` what
 *   the container's default route goes to.
 * - **scope**: of a `local` driver each host has networks of its own; those of a `global` one are a swarm's.
 *
 * ## Promises
 *
 * - An engine that gets no answer sends a call again for half a minute: each method may be called again, and finishes
 *   what was begun. What is there already was made, what is not there was removed.
 * - **The engine keeps networks over its restarts, and does not create them again.** A driver that is started anew,
 *   after a crash of its own or with the host, finds its networks in its own records, and makes anew what the kernel
 *   has lost. Endpoints of containers that run are the kernel's.
 * - **What containers had that ended while the engine was away, it forgets without a word** (it deletes with drivers
 *   that it has met since it started: `libnetwork/endpoint.go`, `deleteEndpoint`; seen on 20.10, 26.1 and 28.5). An
 *   endpoint whose link is gone is gone, and all endpoints of a network go with it.
 * - Docker forgets networks and endpoints also where their removal fails: such a failure leaves something behind, and
 *   should be none that the next start does not mend.
 * - A driver never asks the engine anything: engines wait for their plugins while they start.
 *
 * Every method may reject with NOT_FOUND (no such network or endpoint), FAILED_PRECONDITION, PERMISSION_DENIED; further
 * codes stand at the method. `call.signal` aborts when nobody waits for the answer any more.
 *
 * Source of the semantics: moby v20.10.24 `vendor/github.com/docker/libnetwork/drivers/remote/driver.go`, v28.5.2
 * `libnetwork/docs/remote.md`.
 */
import type { CallOptions } from "../protocol/index.ts";

export interface NetworkDriver {
  /** The driver's name, as in `docker network create --driver NAME`. */
  readonly name: string;

  /** What engines ask once, when they first meet the driver. */
  capabilities(call?: CallOptions): Promise<NetworkCapabilities>;

  /** Makes a network. @throws INVALID_ARGUMENT for an option that the driver does not know. */
  createNetwork(networkId: string, network: NewNetwork, call?: CallOptions): Promise<void>;

  /** Removes a network. One that is not there is removed already. */
  deleteNetwork(networkId: string, call?: CallOptions): Promise<void>;

  /**
   * Makes an endpoint with the addresses given, and returns what the driver decided beyond them: a MAC address where
   * none was given. Engines refuse a value for what they have decided themselves.
   */
  createEndpoint(
    networkId: string,
    endpointId: string,
    endpoint: NewEndpoint,
    call?: CallOptions,
  ): Promise<EndpointInterface>;

  /** Removes an endpoint and its links. One that is not there is removed already. */
  deleteEndpoint(networkId: string, endpointId: string, call?: CallOptions): Promise<void>;

  /** Whatever there is to tell of an endpoint; it may be nothing. */
  endpointInfo(networkId: string, endpointId: string, call?: CallOptions): Promise<Readonly<Record<string, unknown>>>;

  /** A container takes the endpoint: says which link the engine is to move, and which routes it is to add. */
  join(networkId: string, endpointId: string, sandbox: Sandbox, call?: CallOptions): Promise<JoinedEndpoint>;

  /** The container gave the endpoint back. The engine moves its link out of the container afterwards. */
  leave(networkId: string, endpointId: string, call?: CallOptions): Promise<void>;

  /** The container reaches the world by this endpoint: its ports are to be published. Both of the pair, or neither. */
  programExternalConnectivity?(
    networkId: string,
    endpointId: string,
    options: EngineOptions,
    call?: CallOptions,
  ): Promise<void>;
  revokeExternalConnectivity?(networkId: string, endpointId: string, call?: CallOptions): Promise<void>;

  /**
   * For which addresses a network with these options needs no gateway, so that none is reserved. Docker asks from 28.0
   * on, before `createNetwork`.
   */
  skipsGateway?(network: Pick<NewNetwork, "options" | "engineOptions">, call?: CallOptions): Promise<SkippedGateways>;

  /**
   * On a swarm's manager, before a network of scope `global` is made on any host: what is returned goes to the hosts as
   * options. Both of the pair, or neither, and such networks cannot be made in a swarm.
   */
  allocateNetwork?(
    networkId: string,
    network: AllocatedNetwork,
    call?: CallOptions,
  ): Promise<Readonly<Record<string, string>>>;
  freeNetwork?(networkId: string, call?: CallOptions): Promise<void>;

  /** A host of the swarm has come or gone. A driver without them hears nothing of it. */
  discoverNode?(node: DiscoveredNode, call?: CallOptions): Promise<void>;
  forgetNode?(node: DiscoveredNode, call?: CallOptions): Promise<void>;

  /** This process ends: gives back what it holds of it. Networks and endpoints stay. May be called twice. */
  close(): Promise<void>;
}

export interface NetworkCapabilities {
  readonly scope: "local" | "global";
  /** How far containers reach each other; default the scope. */
  readonly connectivityScope?: "local" | "global" | undefined;
}

/** What the engine adds of its own, under keys like `com.docker.network.enable_ipv6`. */
export type EngineOptions = Readonly<Record<string, unknown>>;

export interface AllocatedNetwork {
  /** What the user gave with `--opt`, unchecked. */
  readonly options?: Readonly<Record<string, string>> | undefined;
  readonly ipv4?: readonly AddressPool[] | undefined;
  readonly ipv6?: readonly AddressPool[] | undefined;
}

export interface NewNetwork extends AllocatedNetwork {
  readonly engineOptions?: EngineOptions | undefined;
}

/** What an IPAM driver gave the network. All addresses are in CIDR notation. */
export interface AddressPool {
  readonly addressSpace?: string | undefined;
  /** "10.1.0.0/16" */
  readonly pool?: string | undefined;
  /** "10.1.0.1/16" */
  readonly gateway?: string | undefined;
  /** What the user gave with `--aux-address`, by name. */
  readonly auxAddresses?: Readonly<Record<string, string>> | undefined;
}

/** What was decided of an endpoint's link; `undefined` where nothing was. */
export interface EndpointInterface {
  /** "10.1.0.2/16" */
  readonly address?: string | undefined;
  readonly addressIPv6?: string | undefined;
  /** "02:42:0a:01:00:02" */
  readonly macAddress?: string | undefined;
}

export interface NewEndpoint extends EndpointInterface {
  readonly engineOptions?: EngineOptions | undefined;
}

export interface Sandbox {
  /** The file that holds the container's network, "/var/run/docker/netns/0a1b…"; it may not be there yet. */
  readonly sandboxKey: string;
  readonly engineOptions?: EngineOptions | undefined;
}

export interface JoinedEndpoint {
  /** The link to move, and what it is called in the container: the prefix and a number. */
  readonly interface?: { readonly source: string; readonly prefix: string } | undefined;
  /** Addresses without a prefix. */
  readonly gateway?: string | undefined;
  readonly gatewayIPv6?: string | undefined;
  readonly routes?: readonly StaticRoute[] | undefined;
  /** Without a gateway the engine adds a link to a bridge of its own, unless this is true. Default false. */
  readonly disableGatewayService?: boolean | undefined;
}

export interface StaticRoute {
  /** "10.2.0.0/16" */
  readonly destination: string;
  /** An address; without one the destination is reached by the link. */
  readonly nextHop?: string | undefined;
}

export interface SkippedGateways {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

export interface DiscoveredNode {
  readonly address: string;
  readonly bindAddress?: string | undefined;
  /** Whether it is this host. */
  readonly self: boolean;
}
