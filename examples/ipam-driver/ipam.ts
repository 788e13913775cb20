/**
 * An IPAM driver that keeps a ledger: `node ipam.js [NAME|SOCKET] [LEDGER]`.
 *
 *     docker network create --ipam-driver ledger --subnet 10.1.0.0/16 blue
 */
import { CleatError } from "cleat/errors";
import { createIpamDriverPlugin, type IpamDriver } from "cleat/ipam";
import { createStateFile, serve } from "cleat/plugin";
import { contains, formatAddress, formatRange, overlap, parseAddress, parseRange, type Range } from "./ranges.js";

interface PoolRecord {
  readonly space: string;
  readonly pool: string;
  readonly subPool: string;
  readonly given: string[];
}
type Ledger = Record<string, PoolRecord>;

/** Pools of the driver's choice: 10.200.0.0/24 to 10.200.255.0/24. */
const choices = Array.from({ length: 256 }, (_, at) => parseRange(`10.200.${at}.0/24`));

export async function openLedger(path: string): Promise<IpamDriver> {
  const file = createStateFile(path);
  let ledger = ((await file.load()) ?? {}) as Ledger;
  let last: Promise<unknown> = Promise.resolve();

  /** Changes are made one by one, each to a copy, which counts once it is on disk. */
  const change = <T>(make: (ledger: Ledger) => T): Promise<T> => {
    const next = last.then(async () => {
      const copy = structuredClone(ledger);
      const made = make(copy);
      await file.save(copy);
      ledger = copy;
      return made;
    });
    last = next.catch(() => {});
    return next;
  };
  const poolOf = (pools: Ledger, id: string): PoolRecord => {
    const found = pools[id];
    if (found === undefined) throw new CleatError("NOT_FOUND", `pool "${id}" does not exist`);
    return found;
  };

  return {
    name: "ledger",
    capabilities: async () => ({}),
    defaultAddressSpaces: async () => ({ local: "local", global: "global" }),
    requestPool: ({ addressSpace: space, pool, subPool = "", v6 = false }) =>
      change((pools) => {
        if (v6) throw new CleatError("INVALID_ARGUMENT", "pools of IPv6 are not kept here");
        const others = Object.values(pools).filter((other) => other.space === space);
        const isFree = (range: Range) => !others.some((other) => overlap(parseRange(other.pool), range));
        const range = pool === undefined ? choices.find(isFree) : parseRange(pool);
        if (range === undefined) throw new CleatError("RESOURCE_EXHAUSTED", "every pool is given");
        if (subPool !== "" && !contains(range, parseRange(subPool)))
          throw new CleatError("INVALID_ARGUMENT", `sub-pool ${subPool} is not of pool ${formatRange(range)}`);
        const id = `${space}/${formatRange(range)}`;
        const there = pools[id];
        if (there?.given.length === 0 && there.subPool === subPool) return { id, pool: there.pool };
        if (!isFree(range))
          throw new CleatError("ALREADY_EXISTS", `pool ${formatRange(range)} overlaps one that is given`);
        pools[id] = { space, pool: formatRange(range), subPool, given: [] };
        return { id, pool: formatRange(range) };
      }),
    releasePool: (id) =>
      change((pools) => {
        delete pools[id];
      }),
    requestAddress: (id, { address } = {}) =>
      change((pools) => {
        const record = poolOf(pools, id);
        const range = parseRange(record.pool);
        const taken = address ?? firstFree(record, id);
        if (!contains(range, { first: parseAddress(taken), length: 32 }))
          throw new CleatError("INVALID_ARGUMENT", `address ${taken} is not of pool ${record.pool}`);
        if (record.given.includes(taken)) throw new CleatError("ALREADY_EXISTS", `address ${taken} is given`);
        record.given.push(taken);
        return { address: `${taken}/${range.length}` };
      }),
    releaseAddress: (id, address) =>
      change((pools) => {
        const given = pools[id]?.given;
        if (given?.includes(address)) given.splice(given.indexOf(address), 1);
      }),
    close: async () => void (await last),
  };
}

/** The lowest that nobody has, but for the first and the last of the pool, which name the network and everybody. */
function firstFree({ pool, subPool, given }: PoolRecord, id: string): string {
  const whole = parseRange(pool);
  const range = subPool === "" ? whole : parseRange(subPool);
  const lastOf = (of: Range) => of.first + 2 ** (32 - of.length) - 1;
  const taken = new Set([...given.map(parseAddress), ...(whole.length < 31 ? [whole.first, lastOf(whole)] : [])]);
  for (let address = range.first; address <= lastOf(range); address++)
    if (!taken.has(address)) return formatAddress(address);
  throw new CleatError("RESOURCE_EXHAUSTED", `every address of pool "${id}" is given`);
}

const [place = "ledger", path = "/var/lib/ledger/pools.json"] = process.argv.slice(2);
const driver = await openLedger(path);
await serve({ drivers: [createIpamDriverPlugin({ driver })], listen: place.includes("/") ? { unix: place } : place });
