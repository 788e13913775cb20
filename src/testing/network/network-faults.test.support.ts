/** What a network driver could get wrong, one thing each. */
import { setTimeout as delay } from "node:timers/promises";
import { CleatError } from "../../errors/index.ts";
import type { NetworkDriver } from "../../network/index.ts";
import { cut, type Fault, faultsOf, no } from "../planted-fault.test.support.ts";
import { engineDialects } from "../wire/engine-dialects.ts";
import { linkOf, links } from "./right-networks.test.support.ts";

const { planted, answered } = faultsOf<NetworkDriver>();
const refuse = (message: string) => Promise.reject(new CleatError("FAILED_PRECONDITION", message));
const docker = engineDialects.filter(({ id }) => id.startsWith("docker"));
const of = (path: string, method: string) => path === `/NetworkDriver.${method}`;

/** Refuses what it has seen already, by the last argument that is an id. */
const onlyOnce =
  <Method extends "createNetwork">(name: Method) =>
  (right: NetworkDriver): Partial<NetworkDriver> => {
    const seen = new Set<string>();
    return {
      [name]: (id: string, ...rest: never[]) => {
        if (seen.has(id)) return refuse(`network "${id}" is there`);
        seen.add(id);
        return (right[name] as (...args: unknown[]) => Promise<void>)(id, ...rest);
      },
    };
  };

/** Refuses to undo what was not done. */
const strictly =
  (done: "createNetwork" | "createEndpoint" | "join", undone: "deleteNetwork" | "deleteEndpoint" | "leave") =>
  (right: NetworkDriver): Partial<NetworkDriver> => {
    const there = new Set<string>();
    const idOf = (args: readonly unknown[]) => String(args[done === "createNetwork" ? 0 : 1]);
    const call = (name: keyof NetworkDriver, args: readonly unknown[]) =>
      (right[name] as (...given: readonly unknown[]) => Promise<never>)(...args);
    return {
      [done]: (...args: unknown[]) => (there.add(idOf(args)), call(done, args)),
      [undone]: (...args: unknown[]) =>
        there.delete(idOf(args)) ? call(undone, args) : refuse(`"${idOf(args)}" is not there`),
    };
  };

export const networkFaults: readonly Fault<NetworkDriver>[] = [
  answered(
    "its scope is unheard of",
    ({ path }) => (of(path, "GetCapabilities") ? [200, '{"Scope":"galaxy"}'] : undefined),
    ["capabilities/scope"],
    cut,
  ),
  planted("a second create is refused", onlyOnce("createNetwork"), ["network/created-again"]),
  planted("a second delete is refused", strictly("createNetwork", "deleteNetwork"), ["network/deleted-again"], cut),
  planted("endpoints need no network", (right) => ({ createEndpoint: anywhere(right) }), ["network/unknown"], cut),
  planted(
    "networks stay when they are deleted",
    () => ({ deleteNetwork: async () => {} }),
    ["network/deleted", "network/deleted-with-endpoints"],
    cut,
  ),
  planted(
    "endpoints stay when their network is deleted",
    (right) => ({
      deleteNetwork: async (id) => {
        const before = [...links];
        await right.deleteNetwork(id);
        for (const link of before) links.add(link);
      },
    }),
    ["network/deleted-with-endpoints"],
    cut,
  ),
  planted(
    "all links go with a network",
    (right) => ({ deleteNetwork: async (id) => (links.clear(), right.deleteNetwork(id)) }),
    ["network/several"],
  ),
  answered(
    "it tells the MAC address that it was given",
    ({ path, body }) => {
      const [, given] = /"MacAddress":"([^"]+)"/.exec(body) ?? [];
      return of(path, "CreateEndpoint") && given !== undefined
        ? [200, `{"Interface":{"MacAddress":"${given}"}}`]
        : undefined;
    },
    ["endpoint/decided"],
    cut,
  ),
  planted(
    "all have one MAC address",
    (right) => ({
      createEndpoint: async (network, id, given) => ({
        ...(await right.createEndpoint(network, id, given)),
        ...(given.macAddress === undefined && { macAddress: "02:00:00:00:00:01" }),
      }),
    }),
    ["endpoint/mac"],
  ),
  planted(
    "it knows nothing of who has not joined",
    (right) => {
      const joined = new Set<string>();
      return {
        join: async (network, id, sandbox) => (joined.add(id), right.join(network, id, sandbox)),
        endpointInfo: (network, id) =>
          joined.has(id) ? right.endpointInfo(network, id) : refuse(`"${id}" has not joined`),
      };
    },
    ["endpoint/info"],
  ),
  planted(
    "a MAC address is taken for good",
    (right) => {
      const taken = new Set<string>();
      return {
        createEndpoint: async (network, id, given) => {
          const { macAddress = "" } = given;
          if (macAddress !== "" && taken.has(network + macAddress)) return refuse(`${macAddress} is taken`);
          taken.add(network + macAddress);
          return right.createEndpoint(network, id, given);
        },
      };
    },
    ["endpoint/again"],
  ),
  planted(
    "who has not left cannot be deleted",
    (right) => {
      const left = new Set<string>();
      return {
        leave: async (network, id) => (left.add(id), right.leave(network, id)),
        deleteEndpoint: (network, id) =>
          left.has(id) ? right.deleteEndpoint(network, id) : refuse(`"${id}" is in use`),
      };
    },
    ["endpoint/never-joined"],
    cut,
  ),
  planted(
    "a second delete of an endpoint is refused",
    strictly("createEndpoint", "deleteEndpoint"),
    ["endpoint/deleted-again"],
    cut,
  ),
  planted(
    "endpoints that are made together share a link",
    (right) => {
      let joining = 0;
      return {
        join: async (network, id, sandbox) => {
          joining++;
          await delay(20);
          const isAlone = joining === 1;
          joining--;
          const joined = await right.join(network, id, sandbox);
          return isAlone ? joined : { ...joined, interface: { source: "cc-shared", prefix: "eth" } };
        },
      };
    },
    ["endpoint/together"],
    cut,
  ),
  planted(
    "links stay when an endpoint is deleted",
    (right) => ({
      deleteEndpoint: async (network, id) => (await right.deleteEndpoint(network, id), void links.add(linkOf(id))),
    }),
    ["endpoint/link-gone"],
    cut,
  ),
  planted(
    "anybody joins",
    (right) => ({ join: (network, id, sandbox) => right.join(network, id, sandbox).catch(() => ({})) }),
    ["join/unknown"],
  ),
  planted(
    "gateways have a prefix",
    (right) => ({
      join: async (network, id, sandbox) => ({ ...(await right.join(network, id, sandbox)), gateway: "198.18.0.1/24" }),
    }),
    ["join/readable"],
    cut,
  ),
  planted(
    "names of links are too long",
    (right) => ({
      join: async (network, id, sandbox) => ({
        ...(await right.join(network, id, sandbox)),
        interface: { source: `cc-${id}`, prefix: "eth" },
      }),
    }),
    ["join/readable", "join/link"],
    cut,
  ),
  planted("a second leave is refused", strictly("join", "leave"), ["leave/again"], cut),
  answered(
    "a request without a body is one for some network",
    ({ path, body }) => (body === "" && /Create|Join|Delete/.test(path) ? [200, "{}"] : undefined),
    ["wire/empty-network-request"],
    cut,
  ),
  ...docker.flatMap(({ id, headers }) => {
    const fails = (method: string, mark: string, stories: readonly string[]) =>
      answered(
        `it fails ${id} at ${method} with ${mark || "anything"}`,
        ({ path, headers: sent, body }) =>
          of(path, method) && body.includes(mark) && sent.host === headers["Host"] && sent["user-agent"] !== undefined
            ? no(500)
            : undefined,
        stories.map((story) => `engine/${id}-${story}`),
        cut,
      );
    return [
      fails("CreateNetwork", "", ["network", "internal", "endpoints", "connect"]),
      fails("CreateNetwork", "internal", ["internal"]),
      fails("RevokeExternalConnectivity", "", ["endpoints", "connect"]),
      fails("CreateEndpoint", "198.18.1.", ["connect"]),
    ];
  }),
  {
    title: "another process knows nothing",
    wrongs: {},
    isForgetful: true,
    found: ["network", "endpoint", "join", "leave", "endpoint-deleted"].map((step) => `restart/after-${step}`),
    leaves: false,
  },
  planted("another process knows what was deleted", remembering(), ["restart/after-network-deleted"], cut),
];

function anywhere(right: NetworkDriver): NetworkDriver["createEndpoint"] {
  return async (network, id, given) => right.createEndpoint(network, id, given).catch(() => ({}));
}

function remembering() {
  const deleted = new Set<string>();
  return (right: NetworkDriver): Partial<NetworkDriver> => {
    const known = new Set(deleted);
    return {
      deleteNetwork: async (id) => (deleted.add(id), right.deleteNetwork(id)),
      createEndpoint: async (network, id, given) =>
        known.has(network) ? {} : right.createEndpoint(network, id, given),
    };
  };
}
