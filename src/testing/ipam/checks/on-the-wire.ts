/** What engines send, and Cleat's own client would hide. */
import { equal } from "node:assert/strict";
import { ipamDriverProtocol } from "../../../protocol/index.ts";
import { needsWire, wireOf } from "../../driver-kit.ts";
import { assertFailure, assertSuccess } from "../../wire/answers.ts";
import { dialectsOf } from "../../wire/engine-dialects.ts";
import { type StoryStep, tellStory } from "../../wire/engine-story.ts";
import { type IpamCheck, type IpamContext, withoutPrefix } from "../context.ts";

const { getDefaultAddressSpaces, getCapabilities, requestPool, requestAddress, releaseAddress, releasePool } =
  ipamDriverProtocol.methods;
const makes = "pools";
const gatewayType = { RequestAddressType: "com.docker.network.gateway" };

export const onTheWireChecks: readonly IpamCheck[] = [
  {
    id: "wire/null-address-options",
    title: "takes options that are null, or are not there",
    source: "recorded (test/golden): docker run of an endpoint asks with Options null",
    symptom: "docker run --network fails where docker network create works.",
    makes,
    needs: needsWire,
    async run(context) {
      const { requestPool: give, releaseAddress: back, range } = context;
      const { id } = await give({ pool: range(24) });
      for (const options of [{ Options: null }, {}]) {
        const answer = await post(context, requestAddress.path, { PoolID: id, Address: "", ...options });
        await back(id, withoutPrefix(assertSuccess(requestAddress.path, answer, requestAddress.response).Address));
      }
    },
  },
  {
    id: "wire/empty-pool-request",
    title: "gives nothing to a request without a body",
    source: "moby v20.10.24 pkg/plugins/client.go callWithRetry: what it sends again has no body any more",
    symptom: "After a call whose answer was lost a pool is gone for good, or a network has one that nobody asked for.",
    makes,
    needs: needsWire,
    async run(context) {
      for (const { path } of [requestPool, requestAddress, releasePool]) {
        assertFailure(path, await wireOf(context).post(path, ""), "no body");
      }
    },
  },
  ...dialectsOf(ipamDriverProtocol).flatMap((dialect): readonly IpamCheck[] => {
    const versions = dialect.versions.join(", ");
    const facts = { source: `${versions}, recorded (test/golden)`, makes, needs: needsWire };
    return [
      {
        id: `engine/${dialect.id}-pools`,
        title: `does what ${versions} want for docker network create and rm`,
        symptom: `docker network create --ipam-driver fails on ${versions}.`,
        ...facts,
        run: (context) => tellStory(wireOf(context), dialect, networkStory(context)),
      },
      {
        id: `engine/${dialect.id}-addresses`,
        title: `does what ${versions} want for docker run, with --ip and without, twice at the same time`,
        symptom: `docker run --network fails on ${versions}.`,
        ...facts,
        run: (context) => tellStory(wireOf(context), dialect, runStory(context)),
      },
    ];
  }),
];

function opening({ options: Options, space, keepPool }: IpamContext, Pool: string): readonly StoryStep[] {
  return [
    { method: getCapabilities },
    { method: getDefaultAddressSpaces },
    {
      method: requestPool,
      request: () => ({ AddressSpace: space, Pool, SubPool: "", Options, V6: false }),
      read: ({ PoolID }: { PoolID: string }, answered) => {
        answered["pool"] = PoolID;
        keepPool(PoolID);
      },
    },
    take("gateway", { Address: "", Options: gatewayType }),
  ];
}

const take = (name: string, more: object): StoryStep => ({
  method: requestAddress,
  request: ({ pool }) => ({ PoolID: pool, ...more }),
  read: ({ Address }: { Address: string }, answered) => {
    const address = withoutPrefix(Address);
    equal(Object.values(answered).includes(address), false, `${address} was given twice`);
    answered[name] = address;
  },
});
const give = (name: string): StoryStep => ({
  method: releaseAddress,
  request: (answered) => ({ PoolID: answered["pool"], Address: answered[name] }),
});
const close = ({ forgetPool }: IpamContext): StoryStep => ({
  method: releasePool,
  request: ({ pool }) => ({ PoolID: pool }),
  read: (_, answered) => forgetPool(answered["pool"] ?? ""),
});

function networkStory(context: IpamContext): readonly StoryStep[] {
  return [...opening(context, ""), give("gateway"), close(context)];
}

function runStory(context: IpamContext): readonly StoryStep[] {
  const { range } = context;
  const named = withoutPrefix(range(32, 99));
  return [
    ...opening(context, range(24)),
    take("first", { Address: "", Options: null }),
    take("second", { Address: named, Options: null }),
    {
      method: requestAddress,
      request: ({ pool }) => ({ PoolID: pool, Address: named, Options: null }),
      outcome: "refused",
    },
    take("third", { Address: "", Options: null }),
    give("third"),
    give("second"),
    give("first"),
    give("gateway"),
    close(context),
  ];
}

function post(context: IpamContext, path: string, request: object) {
  return wireOf(context).post(path, `${JSON.stringify(request)}\n`);
}
