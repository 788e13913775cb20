/** An IPAM plugin that does everything right, in memory. */
import { CleatError } from "../../errors/index.ts";
import { createIpamDriverPlugin, type IpamDriver } from "../../ipam/index.ts";
import type { RightPlugin } from "../faulty-plugin.test.support.ts";
import {
  type AddressRange,
  formatAddress,
  formatRange,
  isIn,
  overlap,
  parseAddress,
  parseRange,
  partOf,
} from "./address-range.ts";

interface StoredPool {
  readonly space: string;
  readonly range: AddressRange;
  readonly from: AddressRange;
  readonly given: Set<number>;
}
export type PoolStore = Map<string, StoredPool>;

const refuse = (code: "ALREADY_EXISTS" | "INVALID_ARGUMENT" | "NOT_FOUND" | "RESOURCE_EXHAUSTED", message: string) =>
  new CleatError(code, message);
const asked = <T>(read: (text: string) => T, text: string): T => {
  try {
    return read(text);
  } catch (cause) {
    throw new CleatError("INVALID_ARGUMENT", `"${text}" is not understood`, { cause });
  }
};

export function createMemoryIpam(store: PoolStore = new Map()): IpamDriver {
  const poolOf = (id: string) => {
    const pool = store.get(id);
    if (pool === undefined) throw refuse("NOT_FOUND", `pool "${id}" does not exist`);
    return pool;
  };
  return {
    name: "memory",
    capabilities: async () => ({}),
    defaultAddressSpaces: async () => ({ local: "local", global: "global" }),
    async requestPool({ addressSpace: space, pool, subPool }) {
      const taken = [...store.values()].filter((one) => one.space === space);
      const isFree = (range: AddressRange) => !taken.some((one) => overlap(one.range, range));
      const choices = Array.from({ length: 64 }, (_, at) => partOf(parseRange("10.200.0.0/16"), 24, at));
      const range = pool === undefined ? choices.find(isFree) : asked(parseRange, pool);
      if (range === undefined) throw refuse("RESOURCE_EXHAUSTED", "every pool is given");
      if (!isFree(range)) throw refuse("ALREADY_EXISTS", `pool ${formatRange(range)} overlaps another`);
      const from = subPool === undefined ? range : asked(parseRange, subPool);
      if (!isIn(from.first, range) || !isIn(from.last, range))
        throw refuse("INVALID_ARGUMENT", `sub-pool ${subPool} is not of its pool`);
      const id = `${space}/${formatRange(range)}`;
      store.set(id, { space, range, from, given: new Set() });
      return { id, pool: formatRange(range) };
    },
    releasePool: async (id) => void store.delete(id),
    async requestAddress(id, { address } = {}) {
      const { range, from, given } = poolOf(id);
      const free = (one: number) => !given.has(one) && one !== range.first && one !== range.last;
      const all = Array.from({ length: from.last - from.first + 1 }, (_, at) => from.first + at);
      const taken = address === undefined ? all.find(free) : asked(parseAddress, address);
      if (taken === undefined) throw refuse("RESOURCE_EXHAUSTED", `every address of pool "${id}" is given`);
      if (!isIn(taken, range)) throw refuse("INVALID_ARGUMENT", `address ${address} is not of pool "${id}"`);
      if (given.has(taken)) throw refuse("ALREADY_EXISTS", `address ${address} is given`);
      given.add(taken);
      return { address: `${formatAddress(taken)}/${range.length}` };
    },
    releaseAddress: async (id, address) => void store.get(id)?.given.delete(parseAddress(address)),
    close: async () => {},
  };
}

export const rightIpam: RightPlugin<IpamDriver, PoolStore> = {
  implements: "IpamDriver",
  createStore: () => new Map(),
  open: (_, store) => createMemoryIpam(store),
  serve: (driver) => createIpamDriverPlugin({ driver }),
};
