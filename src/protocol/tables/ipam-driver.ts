/** Fields keep the wire's spelling. Docker sends Go's `null` for options that nobody gave. */
import { z } from "zod";
import { defineProtocol } from "../definition/define-protocol.ts";
import { goStruct } from "../definition/go-json.ts";

const remote = "moby v20.10.24 vendor/github.com/docker/libnetwork/ipams/remote/remote.go";
const minuteMs = 60_000;

const texts = z.record(z.string(), z.string()).default({});
const nothing = goStruct({});

export const ipamDriverProtocol = defineProtocol({
  name: "IpamDriver",
  failureField: "Error",
  summary:
    "Docker's address management plugins (since 1.9): what `docker network create --ipam-driver NAME` asks for pools " +
    "and addresses. Docker sets no deadlines for plugins on sockets, and 30 s for managed ones; those here are the " +
    "ones of Cleat's own client.",
  methods: {
    getCapabilities: {
      summary:
        "With `RequiresMACAddress` each request for an endpoint's address has its MAC address among the options. " +
        "With `RequiresRequestReplay` Docker asks for the pools and addresses that it has once more when it starts.",
      path: "/IpamDriver.GetCapabilities",
      framing: "json",
      safe: true,
      optional: true,
      request: nothing,
      response: goStruct({
        RequiresMACAddress: z.boolean().default(false),
        RequiresRequestReplay: z.boolean().default(false),
      }),
      timeoutMs: minuteMs,
      source: remote,
    },
    getDefaultAddressSpaces: {
      summary: "The names of the address spaces for networks of a host and of a swarm, where the user names none.",
      path: "/IpamDriver.GetDefaultAddressSpaces",
      framing: "json",
      safe: true,
      request: nothing,
      response: goStruct({
        LocalDefaultAddressSpace: z.string().default(""),
        GlobalDefaultAddressSpace: z.string().default(""),
      }),
      timeoutMs: minuteMs,
      source: remote,
    },
    requestPool: {
      summary:
        "A pool of addresses for a network: `Pool` in CIDR notation, or one of the plugin's choice where that is " +
        "empty. Addresses are to come from `SubPool` where there is one. Docker takes a pool of the plugin's choice " +
        "that overlaps another network's for none: it asks on, and gives the pool back.",
      path: "/IpamDriver.RequestPool",
      framing: "json",
      request: goStruct({
        // Without one it is what Docker's client sends after the first try was lost: nothing.
        AddressSpace: z.string(),
        Pool: z.string().default(""),
        SubPool: z.string().default(""),
        Options: texts,
        V6: z.boolean().default(false),
      }),
      response: goStruct({ PoolID: z.string(), Pool: z.string(), Data: texts }),
      subject: "Pool",
      timeoutMs: minuteMs,
      source: remote,
    },
    releasePool: {
      summary: "The network is gone; its addresses were released one by one before.",
      path: "/IpamDriver.ReleasePool",
      framing: "json",
      request: goStruct({ PoolID: z.string() }),
      response: nothing,
      subject: "PoolID",
      timeoutMs: minuteMs,
      source: remote,
    },
    requestAddress: {
      summary:
        "An address of a pool: `Address`, or one of the plugin's choice where that is empty. The answer's has the " +
        "length of the pool's prefix, `10.1.0.2/16`. Of a gateway's address `Options` says so: `RequestAddressType` " +
        "is `com.docker.network.gateway`.",
      path: "/IpamDriver.RequestAddress",
      framing: "json",
      request: goStruct({ PoolID: z.string(), Address: z.string().default(""), Options: texts }),
      response: goStruct({ Address: z.string(), Data: texts }),
      subject: "PoolID",
      timeoutMs: minuteMs,
      source: remote,
    },
    releaseAddress: {
      summary: "An address is free again. It comes without a prefix, `10.1.0.2`.",
      path: "/IpamDriver.ReleaseAddress",
      framing: "json",
      request: goStruct({ PoolID: z.string(), Address: z.string().default("") }),
      response: nothing,
      subject: "PoolID",
      timeoutMs: minuteMs,
      source: remote,
    },
  },
});
