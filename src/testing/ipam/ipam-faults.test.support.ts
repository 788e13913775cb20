/** What an IPAM driver could get wrong, one thing each. */
import { setTimeout as delay } from "node:timers/promises";
import { CleatError } from "../../errors/index.ts";
import type { AddressRequest, IpamDriver } from "../../ipam/index.ts";
import { cut, type Fault, faultsOf, no } from "../planted-fault.test.support.ts";
import { engineDialects } from "../wire/engine-dialects.ts";

const { planted, answered } = faultsOf<IpamDriver>();
const isCall = (path: string, method: string) => path === `/IpamDriver.${method}`;
const docker = engineDialects.filter(({ id }) => id.startsWith("docker"));

export const ipamFaults: readonly Fault<IpamDriver>[] = [
  planted("it has one address space", () => ({ defaultAddressSpaces: async () => ({ local: "local", global: "" }) }), [
    "spaces/named",
  ]),
  planted(
    "pools have bits beyond their prefix",
    (right) => ({
      requestPool: async (request) => {
        const pool = await right.requestPool(request);
        return request.pool === undefined ? { ...pool, pool: pool.pool.replace(".0/", ".1/") } : pool;
      },
    }),
    ["pool/chosen"],
    cut,
  ),
  planted(
    "it chooses the same pool again",
    (right) => {
      let last: Promise<{ id: string; pool: string }> | undefined;
      return {
        requestPool: (request) =>
          request.pool === undefined ? (last ??= right.requestPool(request)) : right.requestPool(request),
      };
    },
    ["pool/chosen-apart"],
    cut,
  ),
  planted(
    "it gives another pool than the one that is asked for",
    (right) => ({ requestPool: ({ addressSpace }) => right.requestPool({ addressSpace }) }),
    ["pool/by-name"],
    cut,
  ),
  planted(
    "pools overlap, since each has a space of its own",
    (right) => {
      let at = 0;
      return { requestPool: (request) => right.requestPool({ ...request, addressSpace: `s${at++}` }) };
    },
    ["pool/overlap", "pool/same-again"],
    cut,
  ),
  planted(
    "a pool that is in use is emptied and given again",
    (right) => ({
      requestPool: async (request) => {
        const id = `${request.addressSpace}/${request.pool}`;
        if (request.pool?.endsWith("/24") === true && request.subPool === undefined) await right.releasePool(id);
        return right.requestPool(request);
      },
    }),
    ["pool/same-again"],
    cut,
  ),
  planted(
    "pools side by side are taken for overlapping",
    (right) => {
      const given = new Set<string>();
      return {
        async requestPool(request) {
          const start = request.pool?.split(".").slice(0, 2).join(".") ?? "";
          if (start !== "" && given.has(start)) throw new CleatError("ALREADY_EXISTS", `pool ${request.pool} overlaps`);
          given.add(start);
          return right.requestPool(request);
        },
        releasePool: async (id) => (
          given.delete(id.slice("local/".length).split(".").slice(0, 2).join(".")),
          right.releasePool(id)
        ),
      };
    },
    ["pool/beside"],
    cut,
  ),
  planted("pools are never free again", () => ({ releasePool: async () => {} }), ["pool/released"], cut),
  planted(
    "addresses outlive their pool",
    (right) => {
      const given = new Set<string>();
      return {
        async requestAddress(id, request = {}) {
          const { address } = request;
          if (address !== undefined && given.has(id + address))
            throw new CleatError("ALREADY_EXISTS", `address ${address} is given`);
          const taken = await right.requestAddress(id, request);
          given.add(id + taken.address.split("/")[0]);
          return taken;
        },
        releaseAddress: async (id, address) => (given.delete(id + address), right.releaseAddress(id, address)),
      };
    },
    ["pool/released-with-addresses"],
    cut,
  ),
  planted(
    "a second release of a pool fails",
    (right) => {
      const pools = new Set<string>();
      return {
        requestPool: async (request) => {
          const pool = await right.requestPool(request);
          pools.add(pool.id);
          return pool;
        },
        async releasePool(id) {
          if (!pools.delete(id)) throw new CleatError("NOT_FOUND", `pool "${id}" does not exist`);
          await right.releasePool(id);
        },
      };
    },
    ["pool/released-twice"],
    cut,
  ),
  planted(
    "what is no range is a pool of its choice",
    (right) => ({
      requestPool: async ({ pool, ...request }) =>
        right.requestPool(/\/([12]?\d|3[0-2])$/.test(pool ?? "") ? { ...request, pool } : request),
    }),
    ["pool/malformed"],
  ),
  planted(
    "it knows no sub-pools",
    (right) => ({ requestPool: (request) => right.requestPool({ ...request, subPool: undefined }) }),
    ["pool/malformed", "pool/sub-pool"],
  ),
  planted(
    "addresses are single ones",
    (right) => ({
      requestAddress: async (id, request) => {
        const { address } = await right.requestAddress(id, request);
        return {
          address:
            request?.address === undefined && request?.type === undefined ? address.replace(/\d+$/, "32") : address,
        };
      },
    }),
    ["address/chosen"],
    cut,
  ),
  planted(
    "it gives the address of the network",
    (right) => ({
      requestAddress: async (id, request = {}) => {
        const first = id.split("/")[1];
        const isPlain = request.address === undefined && request.type === undefined && first !== undefined;
        if (!isPlain) return right.requestAddress(id, request);
        return right.requestAddress(id, { address: first }).catch(() => right.requestAddress(id, request));
      },
    }),
    ["address/once"],
    cut,
  ),
  planted(
    "addresses are chosen before others are recorded",
    (right) => {
      let choosing: Promise<{ address: string }> | undefined;
      return {
        requestAddress: (id, request = {}) => {
          if (request.address !== undefined) return right.requestAddress(id, request);
          choosing ??= delay(20)
            .then(() => right.requestAddress(id, request))
            .finally(() => (choosing = undefined));
          return choosing;
        },
      };
    },
    ["address/together"],
    cut,
  ),
  planted(
    "an address that is asked for by name is given to all",
    (right) => ({ requestAddress: orGivenAlready(right) }),
    ["address/by-name", "address/released-of-another"].concat(
      docker.map(({ id }) => `engine/${id}-addresses`),
      ["restart/after-address"],
    ),
    cut,
  ),
  planted(
    "an address from elsewhere is one of its choice",
    (right) => ({
      requestAddress: (id, request) =>
        right.requestAddress(id, request).catch((error: CleatError) => {
          if (error.code !== "INVALID_ARGUMENT") throw error;
          return right.requestAddress(id);
        }),
    }),
    ["address/outside"],
  ),
  planted(
    "it knows no gateways",
    (right) => ({
      requestAddress: async (id, request) => {
        if (request?.type === "gateway" && request.address !== undefined) return right.requestAddress(id);
        return right.requestAddress(id, request);
      },
    }),
    ["address/gateway"],
  ),
  planted(
    "addresses are never free again",
    () => ({ releaseAddress: async () => {} }),
    ["address/released", "address/all-given"],
    cut,
  ),
  planted(
    "the last address is given to all who come later",
    (right) => {
      let last: { address: string } | undefined;
      return {
        requestAddress: async (id, request) =>
          (last = await right.requestAddress(id, request).catch((error: CleatError) => {
            if (error.code !== "RESOURCE_EXHAUSTED" || last === undefined) throw error;
            return last;
          })),
      };
    },
    ["address/all-given"],
    cut,
  ),
  planted(
    "a second release of an address fails",
    (right) => {
      const given = new Set<string>();
      return {
        requestAddress: async (id, request) => {
          const taken = await right.requestAddress(id, request);
          given.add(id + taken.address.split("/")[0]);
          return taken;
        },
        async releaseAddress(id, address) {
          if (!given.delete(id + address)) throw new CleatError("NOT_FOUND", `address ${address} is not given`);
          await right.releaseAddress(id, address);
        },
      };
    },
    ["address/released-twice"],
    cut,
  ),
  planted(
    "an address is released in every pool",
    (right) => {
      const pools = new Set<string>();
      return {
        requestAddress: async (id, request) => (pools.add(id), right.requestAddress(id, request)),
        releaseAddress: async (_, address) => {
          for (const id of pools) await right.releaseAddress(id, address);
        },
      };
    },
    ["address/released-of-another"],
    cut,
  ),
  planted(
    "a pool is made by asking for its address",
    (right) => ({
      requestAddress: async (id, request) =>
        right.requestAddress(id, request).catch((error: CleatError) => {
          if (error.code !== "NOT_FOUND") throw error;
          return { address: "10.0.0.1/24" };
        }),
    }),
    ["address/unknown-pool"],
    cut,
  ),
  answered(
    "it trips over options that are null",
    ({ body }) => (body.includes('"Options":null') ? no(500) : undefined),
    ["wire/null-address-options"].concat(docker.map(({ id }) => `engine/${id}-addresses`)),
  ),
  answered(
    "a request without a body is one for a pool of its choice",
    ({ path, body }) =>
      body === "" && isCall(path, "RequestPool") ? [200, '{"PoolID":"p","Pool":"10.9.0.0/24"}'] : undefined,
    ["wire/empty-pool-request"],
  ),
  ...docker.map(({ id, headers }) =>
    answered(
      `it fails ${id} at RequestPool`,
      ({ path, headers: sent }) =>
        isCall(path, "RequestPool") && sent.host === headers["Host"] && sent["user-agent"] !== undefined
          ? no(500)
          : undefined,
      [`engine/${id}-pools`, `engine/${id}-addresses`],
      cut,
    ),
  ),
  {
    title: "another process knows nothing",
    wrongs: {},
    isForgetful: true,
    found: ["restart/after-pool", "restart/after-address", "restart/after-address-released"],
    leaves: false,
  },
  planted("another process knows what was released", rememberingPools(), ["restart/after-pool-released"], cut),
];

/** What is given is given once more. */
function orGivenAlready(right: IpamDriver): IpamDriver["requestAddress"] {
  return async (id: string, request?: AddressRequest) =>
    right.requestAddress(id, request).catch((error: CleatError) => {
      if (error.code !== "ALREADY_EXISTS") throw error;
      return { address: `${request?.address}/24` };
    });
}

function rememberingPools() {
  const released: string[] = [];
  return (right: IpamDriver): Partial<IpamDriver> => {
    const known = new Set(released);
    return {
      async requestPool(request) {
        if (known.has(request.pool ?? "")) throw new CleatError("ALREADY_EXISTS", `pool ${request.pool} is in use`);
        return right.requestPool(request);
      },
      releasePool: async (id) => (released.push(id.slice("local/".length)), right.releasePool(id)),
    };
  };
}
