/**
 * An IPAM driver that keeps a ledger: `node ipam.js [NAME|SOCKET] [FOLDER]`.
 *
 *     docker network create --ipam-driver ledger --subnet 10.1.0.0/16 blue
 */
import { CleatError } from "cleat/errors";
import { createIpamDriverPlugin, type IpamDriver } from "cleat/ipam";
import { serve } from "cleat/plugin";
import { openStore } from "cleat/state";
import { z } from "zod";
import { contains, formatAddress, formatRange, overlap, parseAddress, parseRange, type Range } from "./ranges.js";

/** In CIDR notation; no sub-pool is "". */
const pool = z.strictObject({
  space: z.string(),
  range: z.string(),
  subPool: z.string(),
  given: z.array(z.string()),
});

/** Pools of the driver's choice: 10.200.0.0/24 to 10.200.255.0/24. */
const choices = Array.from({ length: 256 }, (_, at) => parseRange(`10.200.${at}.0/24`));

/** Each change is made whole, and is on the disk before it is answered. */
export async function openLedger(folder: string): Promise<IpamDriver> {
  const store = await openStore({ folder, tables: { pools: pool } });
  return {
    name: "ledger",
    capabilities: async () => ({}),
    defaultAddressSpaces: async () => ({ local: "local", global: "global" }),
    requestPool: ({ addressSpace: space, pool: wanted, subPool = "", v6 = false }) =>
      store.transact(({ pools }) => {
        if (v6) throw new CleatError("INVALID_ARGUMENT", "pools of IPv6 are not kept here");
        const taken = [...pools.entries()].flatMap(([, it]) => (it.space === space ? parseRange(it.range) : []));
        const isFree = (range: Range) => !taken.some((other) => overlap(other, range));
        const range = wanted === undefined ? choices.find(isFree) : parseRange(wanted);
        if (range === undefined) throw new CleatError("RESOURCE_EXHAUSTED", "every pool is given");
        if (subPool !== "" && !contains(range, parseRange(subPool)))
          throw new CleatError("INVALID_ARGUMENT", `sub-pool ${subPool} is not of pool ${formatRange(range)}`);
        const id = `${space}/${formatRange(range)}`;
        const there = pools.get(id);
        const isUnused = there?.given.length === 0 && there.subPool === subPool; // its first answer was lost
        if (!isUnused && !isFree(range))
          throw new CleatError("ALREADY_EXISTS", `pool ${formatRange(range)} overlaps one that is given`);
        pools.put(id, { space, range: formatRange(range), subPool, given: [] });
        return { id, pool: formatRange(range) };
      }),
    releasePool: (id) => store.tables.pools.delete(id),
    requestAddress: (id, { address } = {}) =>
      store.transact(({ pools }) => {
        const record = pools.get(id);
        if (record === undefined) throw new CleatError("NOT_FOUND", `pool "${id}" does not exist`);
        const taken = address ?? firstFree(record, id);
        if (!contains(parseRange(record.range), { first: parseAddress(taken), length: 32 }))
          throw new CleatError("INVALID_ARGUMENT", `address ${taken} is not of pool ${record.range}`);
        if (record.given.includes(taken)) throw new CleatError("ALREADY_EXISTS", `address ${taken} is given`);
        pools.put(id, { ...record, given: [...record.given, taken] });
        return { address: `${taken}/${parseRange(record.range).length}` };
      }),
    releaseAddress: (id, address) =>
      store.transact(({ pools }) => {
        const record = pools.get(id);
        if (record !== undefined) pools.put(id, { ...record, given: record.given.filter((one) => one !== address) });
      }),
    close: () => store.close(),
  };
}

/** The lowest that nobody has, but for the first and the last of the pool, which name the network and everybody. */
function firstFree({ range: all, subPool, given }: z.output<typeof pool>, id: string): string {
  const whole = parseRange(all);
  const range = subPool === "" ? whole : parseRange(subPool);
  const lastOf = (of: Range) => of.first + 2 ** (32 - of.length) - 1;
  const taken = new Set([...given.map(parseAddress), ...(whole.length < 31 ? [whole.first, lastOf(whole)] : [])]);
  for (let address = range.first; address <= lastOf(range); address++)
    if (!taken.has(address)) return formatAddress(address);
  throw new CleatError("RESOURCE_EXHAUSTED", `every address of pool "${id}" is given`);
}

const [place = "ledger", folder = "/var/lib/ledger"] = process.argv.slice(2);
const driver = await openLedger(folder);
await serve({ drivers: [createIpamDriverPlugin({ driver })], listen: place.includes("/") ? { unix: place } : place });
