/** Fields keep the wire's spelling. Docker sends Go's `null` for options that nobody gave. */
import { z } from "zod";
import { defineProtocol } from "../definition/define-protocol.ts";
import { goStruct } from "../definition/go-json.ts";

const remote = "moby v20.10.24 vendor/github.com/docker/libnetwork/drivers/remote/driver.go";
const minuteMs = 60_000;

const anyOptions = z.record(z.string(), z.unknown()).default({});
const textOptions = z.record(z.string(), z.string()).default({});
const nothing = goStruct({});
const network = goStruct({ NetworkID: z.string() });
const endpoint = goStruct({ NetworkID: z.string(), EndpointID: z.string() });

/** Source: moby v20.10.24 `vendor/github.com/docker/libnetwork/driverapi/driverapi.go`, `IPAMData.MarshalJSON`. */
const ipamData = goStruct({
  AddressSpace: z.string().default(""),
  Pool: z.string().optional(),
  Gateway: z.string().optional(),
  AuxAddresses: textOptions,
});
const ipamDataList = z.array(ipamData).default([]);

const endpointInterface = goStruct({
  Address: z.string().default(""),
  AddressIPv6: z.string().default(""),
  MacAddress: z.string().default(""),
});

const staticRoute = goStruct({
  Destination: z.string().default(""),
  RouteType: z.int().default(0),
  NextHop: z.string().default(""),
});

const notification = goStruct({ DiscoveryType: z.int(), DiscoveryData: z.unknown() });

export const networkDriverProtocol = defineProtocol({
  name: "NetworkDriver",
  summary:
    "Docker's network plugins (since 1.7): what `docker network create --driver NAME` makes. Docker sets no " +
    "deadlines for plugins on sockets, and 30 s for managed ones; those here are the ones of Cleat's own client. " +
    "What Docker does not get an answer to it sends again for half a minute, at times without its body.",
  methods: {
    getCapabilities: {
      summary:
        "What Docker asks first. `Scope` is `local` (each host has networks of its own) or `global` (a swarm has " +
        "them); another value, and Docker does not take the plugin. `ConnectivityScope` is `Scope` where it is " +
        "empty. With `GwAllocChecker` Docker asks `GwAllocCheck`.",
      path: "/NetworkDriver.GetCapabilities",
      framing: "json",
      safe: true,
      request: nothing,
      response: goStruct({
        Scope: z.string().default(""),
        ConnectivityScope: z.string().default(""),
        GwAllocChecker: z.boolean().default(false).meta({ since: "28.0" }),
      }),
      timeoutMs: minuteMs,
      source: remote,
    },
    gwAllocCheck: {
      summary:
        "Whether a network with these options needs no address for a gateway. Asked before `CreateNetwork`, of " +
        "plugins that said so in their capabilities.",
      path: "/NetworkDriver.GwAllocCheck",
      framing: "json",
      optional: true,
      since: "28.0",
      request: goStruct({ Options: anyOptions }),
      response: goStruct({ SkipIPv4: z.boolean().default(false), SkipIPv6: z.boolean().default(false) }),
      timeoutMs: minuteMs,
      source: "moby v28.0.0 libnetwork/drivers/remote/driver.go",
    },
    allocateNetwork: {
      summary:
        "What a swarm's manager asks before a network of scope `global` is made anywhere: the answer's options go to " +
        "every host. A plugin of scope `local` may lack it, and so may one that is not managed: a swarm takes no " +
        "other.",
      path: "/NetworkDriver.AllocateNetwork",
      framing: "json",
      optional: true,
      request: goStruct({
        NetworkID: z.string(),
        Options: textOptions,
        IPv4Data: ipamDataList,
        IPv6Data: ipamDataList,
      }),
      response: goStruct({ Options: textOptions }),
      subject: "NetworkID",
      timeoutMs: 2 * minuteMs,
      source: remote,
    },
    freeNetwork: {
      summary: "Gives back, on a swarm's manager, what `AllocateNetwork` allocated.",
      path: "/NetworkDriver.FreeNetwork",
      framing: "json",
      optional: true,
      request: network,
      response: nothing,
      subject: "NetworkID",
      timeoutMs: 2 * minuteMs,
      source: remote,
    },
    createNetwork: {
      summary:
        "Makes a network. What the user gave with `--opt` is in `Options` under `com.docker.network.generic`. " +
        "`Pool`, `Gateway` and `AuxAddresses` are in CIDR notation, from the IPAM driver.",
      path: "/NetworkDriver.CreateNetwork",
      framing: "json",
      request: goStruct({
        NetworkID: z.string(),
        Options: anyOptions,
        IPv4Data: ipamDataList,
        IPv6Data: ipamDataList,
      }),
      response: nothing,
      subject: "NetworkID",
      timeoutMs: 2 * minuteMs,
      source: remote,
    },
    deleteNetwork: {
      summary: "Removes a network. Docker forgets the network also where this fails.",
      path: "/NetworkDriver.DeleteNetwork",
      framing: "json",
      request: network,
      response: nothing,
      subject: "NetworkID",
      timeoutMs: 2 * minuteMs,
      source: remote,
    },
    createEndpoint: {
      summary:
        "Makes a container's end of a network. `Interface` has what Docker decided: the addresses in CIDR notation, " +
        "from the IPAM driver, and the MAC address if the user gave one. The answer's has only what the plugin " +
        "decided: Docker refuses a value for what it has sent one for itself.",
      path: "/NetworkDriver.CreateEndpoint",
      framing: "json",
      request: goStruct({
        NetworkID: z.string(),
        EndpointID: z.string(),
        Interface: endpointInterface.optional(),
        Options: anyOptions,
      }),
      response: goStruct({ Interface: endpointInterface.optional() }),
      subject: "EndpointID",
      timeoutMs: 2 * minuteMs,
      source: remote,
    },
    deleteEndpoint: {
      summary: "Removes an endpoint. Docker forgets it also where this fails.",
      path: "/NetworkDriver.DeleteEndpoint",
      framing: "json",
      request: endpoint,
      response: nothing,
      subject: "EndpointID",
      timeoutMs: 2 * minuteMs,
      source: remote,
    },
    endpointOperInfo: {
      summary: "Whatever there is to tell of an endpoint. Docker asks when a container is inspected or listed.",
      path: "/NetworkDriver.EndpointOperInfo",
      framing: "json",
      safe: true,
      request: endpoint,
      response: goStruct({ Value: anyOptions }),
      subject: "EndpointID",
      timeoutMs: minuteMs,
      source: remote,
    },
    join: {
      summary:
        "A container starts. The answer names the link, in the host's network, that Docker is to move into the " +
        "container's; there it is called `DstPrefix` and a number. `RouteType` is 0 for a route by `NextHop`, 1 for " +
        "one by the link. With neither gateway nor `DisableGatewayService` Docker adds a link to its " +
        "`docker_gwbridge`.",
      path: "/NetworkDriver.Join",
      framing: "json",
      request: goStruct({
        NetworkID: z.string(),
        EndpointID: z.string(),
        SandboxKey: z.string().default(""),
        Options: anyOptions,
      }),
      response: goStruct({
        InterfaceName: goStruct({
          SrcName: z.string().default(""),
          DstPrefix: z.string().default(""),
        }).optional(),
        Gateway: z.string().default(""),
        GatewayIPv6: z.string().default(""),
        StaticRoutes: z.array(staticRoute).default([]),
        DisableGatewayService: z.boolean().default(false),
      }),
      subject: "EndpointID",
      timeoutMs: 2 * minuteMs,
      source: remote,
    },
    leave: {
      summary: "The container stops, or leaves the network.",
      path: "/NetworkDriver.Leave",
      framing: "json",
      request: endpoint,
      response: nothing,
      subject: "EndpointID",
      timeoutMs: 2 * minuteMs,
      source: remote,
    },
    programExternalConnectivity: {
      summary:
        "The endpoint is the one by which its container reaches the world: publish its ports. Ports are in `Options` " +
        "under `com.docker.network.portmap`.",
      path: "/NetworkDriver.ProgramExternalConnectivity",
      framing: "json",
      optional: true,
      request: goStruct({ NetworkID: z.string(), EndpointID: z.string(), Options: anyOptions }),
      response: nothing,
      subject: "EndpointID",
      timeoutMs: 2 * minuteMs,
      source: remote,
    },
    revokeExternalConnectivity: {
      summary: "Takes back what `ProgramExternalConnectivity` did.",
      path: "/NetworkDriver.RevokeExternalConnectivity",
      framing: "json",
      optional: true,
      request: endpoint,
      response: nothing,
      subject: "EndpointID",
      timeoutMs: 2 * minuteMs,
      source: remote,
    },
    discoverNew: {
      summary:
        "A host joined the swarm, this one included. `DiscoveryType` is 1, `DiscoveryData` has `Address`, " +
        "`BindAddress` and `Self`.",
      path: "/NetworkDriver.DiscoverNew",
      framing: "json",
      optional: true,
      request: notification,
      response: nothing,
      timeoutMs: minuteMs,
      source: remote,
    },
    discoverDelete: {
      summary: "A host left the swarm.",
      path: "/NetworkDriver.DiscoverDelete",
      framing: "json",
      optional: true,
      request: notification,
      response: nothing,
      timeoutMs: minuteMs,
      source: remote,
    },
  },
});
