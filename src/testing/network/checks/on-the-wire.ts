/** What engines send, call by call, as it was recorded; and what Docker's client sends again. */
import { networkDriverProtocol } from "../../../protocol/index.ts";
import { needsWire, wireOf } from "../../driver-kit.ts";
import { assertFailure } from "../../wire/answers.ts";
import { dialectsOf, type EngineDialect } from "../../wire/engine-dialects.ts";
import { type StoryStep, tellStory } from "../../wire/engine-story.ts";
import { type NetworkCheck, type NetworkContext, sandboxOf } from "../context.ts";

const methods = networkDriverProtocol.methods;
const makes = "networks";

export const onTheWireChecks: readonly NetworkCheck[] = [
  {
    id: "wire/empty-network-request",
    title: "makes and deletes nothing for a request without a body",
    source: "moby v20.10.24 pkg/plugins/client.go callWithRetry: what it sends again has no body any more",
    symptom: "After a call whose answer was lost there is a network without a name, or one less.",
    needs: needsWire,
    async run(context) {
      for (const { path } of [methods.createNetwork, methods.createEndpoint, methods.join, methods.deleteNetwork]) {
        assertFailure(path, await wireOf(context).post(path, ""), "no body");
      }
    },
  },
  ...dialectsOf(networkDriverProtocol).flatMap((dialect): readonly NetworkCheck[] => {
    const versions = dialect.versions.join(", ");
    const told = (id: string, command: string, story: (parts: StoryParts) => readonly StoryStep[]): NetworkCheck => ({
      id: `engine/${dialect.id}-${id}`,
      title: `does what ${versions} want for ${command}`,
      source: `${versions}, recorded (test/golden)`,
      symptom: `${command} fails on ${versions}.`,
      makes,
      needs: needsWire,
      run: (context) => tellStory(wireOf(context), dialect, story(partsOf(context, dialect))),
    });
    return [
      told("network", "docker network create and rm", ({ create, remove }) => [...create(0), ...remove(0)]),
      told("internal", "docker network create --internal and rm", ({ create, remove }) => [
        ...create(0, { "com.docker.network.internal": true }),
        ...remove(0),
      ]),
      told("endpoints", "docker run --network, twice at the same time", ({ create, remove, start, stop, info }) => [
        ...create(0),
        ...start(0, 0),
        ...info(0, 0),
        ...start(0, 1, { MacAddress: "02:42:c6:12:00:03" }),
        ...info(0, 1),
        ...stop(0, 1),
        ...stop(0, 0),
        ...remove(0),
      ]),
      told(
        "connect",
        "docker network connect and disconnect",
        ({ create, remove, start, stop, plug, unplug, info }) => [
          ...create(0),
          ...create(1),
          ...start(0, 0),
          ...plug(1, 1),
          ...info(0, 0),
          ...info(1, 1),
          ...unplug(1, 1),
          ...stop(0, 0),
          ...remove(1),
          ...remove(0),
        ],
      ),
    ];
  }),
];

type StoryParts = ReturnType<typeof partsOf>;

/** What commands are made of. Networks and endpoints are numbered. */
function partsOf(context: NetworkContext, { id: dialect }: EngineDialect) {
  const { options, poolAt, newId, keepNetwork, keepEndpoint } = context;
  const networks = [newId(), newId()] as const;
  const endpoints = [newId(), newId()] as const;
  const isLater = dialect !== "docker-20.10";
  const engineOptions = {
    ...(isLater && { "com.docker.network.enable_ipv4": true }),
    "com.docker.network.enable_ipv6": false,
    "com.docker.network.generic": options,
  };
  const ports = { "com.docker.network.endpoint.exposedports": [], "com.docker.network.portmap": [] };
  const connectivity = { ...ports, ...(isLater && { "com.docker.network.driver.private.no_proxy_6to4": false }) };
  const networkOf = (at: number) => networks[at as 0 | 1];
  const ids = (network: number, endpoint: number) => ({
    NetworkID: networkOf(network),
    EndpointID: endpoints[endpoint as 0 | 1],
  });

  const create = (at: number, more: object = {}): readonly StoryStep[] => {
    const Options = { ...engineOptions, ...more };
    const { pool, gateway } = poolAt(at);
    const IPv4Data = [{ AddressSpace: "local", Gateway: gateway, Pool: pool }];
    return [
      { method: methods.getCapabilities },
      ...(isLater ? [{ method: methods.gwAllocCheck, request: () => ({ Options }) }] : []),
      {
        method: methods.createNetwork,
        request() {
          keepNetwork(networkOf(at));
          return { NetworkID: networkOf(at), Options, IPv4Data, IPv6Data: [] };
        },
      },
    ];
  };
  const plug = (network: number, endpoint: number, given: object = {}): readonly StoryStep[] => [
    {
      method: methods.createEndpoint,
      request() {
        const Address = poolAt(network).gateway.replace(".1/", `.${endpoint + 2}/`);
        keepEndpoint(networkOf(network), endpoints[endpoint as 0 | 1]);
        const Interface = { Address, AddressIPv6: "", MacAddress: "", ...given };
        return { ...ids(network, endpoint), Interface, Options: ports };
      },
    },
    {
      method: methods.join,
      request: () => ({ ...ids(network, endpoint), SandboxKey: sandboxOf(endpoints[0]), Options: ports }),
    },
  ];
  const unplug = (network: number, endpoint: number): readonly StoryStep[] => [
    { method: methods.leave, request: () => ids(network, endpoint) },
    { method: methods.deleteEndpoint, request: () => ids(network, endpoint) },
  ];
  return {
    create,
    plug,
    unplug,
    remove: (at: number): readonly StoryStep[] => [
      { method: methods.deleteNetwork, request: () => ({ NetworkID: networkOf(at) }) },
    ],
    start: (network: number, endpoint: number, given?: object): readonly StoryStep[] => [
      ...plug(network, endpoint, given),
      {
        method: methods.programExternalConnectivity,
        request: () => ({ ...ids(network, endpoint), Options: connectivity }),
      },
    ],
    stop: (network: number, endpoint: number): readonly StoryStep[] => [
      { method: methods.revokeExternalConnectivity, request: () => ids(network, endpoint) },
      ...unplug(network, endpoint),
    ],
    info: (network: number, endpoint: number): readonly StoryStep[] => [
      { method: methods.endpointOperInfo, request: () => ids(network, endpoint) },
    ],
  };
}
