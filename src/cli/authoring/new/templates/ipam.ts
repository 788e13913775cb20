import { kitOf, mainOf, type ProjectTemplate } from "../project-template.ts";

export const ipamTemplate: ProjectTemplate = {
  kind: "ipam",
  implements: "IpamDriver",
  summary: "An IPAM driver for Docker. It begins with a ledger of pools and addresses of IPv4.",
  page: "docs/network-plugins.md",
  files: (name) => ({
    "src/driver.ts": driver(name),
    "src/ranges.ts": ranges,
    "src/main.ts": mainOf(name, {
      serve: ["createIpamDriverPlugin", "cleat/ipam"],
      open: "openDriver",
      given: "{ driver }",
    }),
    "src/driver.test.ts": kitOf({
      checks: "ipamDriverChecks",
      run: "runIpamDriverKit",
      open: "openDriver",
      given: "open: () => openDriver(folder)",
    }),
  }),
};

const driver = (name: string) => `import { CleatError } from "cleat/errors";
import type { IpamDriver } from "cleat/ipam";
import { openStore } from "cleat/state";
import { z } from "zod";
import { contains, formatAddress, formatRange, lastOf, overlap, parseAddress, parseRange } from "./ranges.js";

/** In CIDR notation; no sub-pool is "". */
const pool = z.strictObject({ space: z.string(), range: z.string(), subPool: z.string(), given: z.array(z.string()) });

/** Pools of the driver's choice, the first of which is free: change them to yours. */
const choices = Array.from({ length: 256 }, (_, at) => parseRange(\`10.200.\${at}.0/24\`));

/** The manual is at \`IpamDriver\`. What was answered is on the disk, or two containers get one address. */
export async function openDriver(folder: string): Promise<IpamDriver> {
  const store = await openStore({ folder, tables: { pools: pool } });
  return {
    name: "${name}",
    capabilities: async () => ({}),
    defaultAddressSpaces: async () => ({ local: "local", global: "global" }),
    requestPool: ({ addressSpace: space, pool: wanted, subPool = "", v6 = false }) =>
      store.transact(({ pools }) => {
        if (v6) throw new CleatError("INVALID_ARGUMENT", "pools of IPv6 are not kept here");
        const taken = [...pools.entries()].flatMap(([, it]) => (it.space === space ? parseRange(it.range) : []));
        const range =
          wanted === undefined
            ? choices.find((choice) => !taken.some((other) => overlap(other, choice)))
            : parseRange(wanted);
        if (range === undefined) throw new CleatError("RESOURCE_EXHAUSTED", "every pool is given");
        if (subPool !== "" && !contains(range, parseRange(subPool)))
          throw new CleatError("INVALID_ARGUMENT", \`sub-pool \${subPool} is not of pool \${formatRange(range)}\`);
        const text = formatRange(range);
        if (taken.some((other) => overlap(other, range)))
          throw new CleatError("ALREADY_EXISTS", \`pool \${text} overlaps one that is given\`);
        const id = \`\${space}/\${text}\`;
        pools.put(id, { space, range: text, subPool, given: [] });
        return { id, pool: text };
      }),
    releasePool: (id) => store.tables.pools.delete(id),
    requestAddress: (id, { address } = {}) =>
      store.transact(({ pools }) => {
        const record = pools.get(id);
        if (record === undefined) throw new CleatError("NOT_FOUND", \`pool "\${id}" does not exist\`);
        const taken = address ?? firstFree(record, id);
        const range = parseRange(record.range);
        if (!contains(range, { first: parseAddress(taken), length: 32 }))
          throw new CleatError("INVALID_ARGUMENT", \`address \${taken} is not of pool \${record.range}\`);
        if (record.given.includes(taken)) throw new CleatError("ALREADY_EXISTS", \`address \${taken} is given\`);
        pools.put(id, { ...record, given: [...record.given, taken] });
        return { address: \`\${taken}/\${range.length}\` };
      }),
    releaseAddress: (id, address) =>
      store.transact(({ pools }) => {
        const record = pools.get(id);
        if (record !== undefined) pools.put(id, { ...record, given: record.given.filter((one) => one !== address) });
      }),
    close: () => store.close(),
  };
}

/** The lowest that nobody has, but for the pool's first and last, which name the network and everybody. */
function firstFree({ range, subPool, given }: z.output<typeof pool>, id: string): string {
  const whole = parseRange(range);
  const part = subPool === "" ? whole : parseRange(subPool);
  const taken = new Set([...given.map(parseAddress), ...(whole.length < 31 ? [whole.first, lastOf(whole)] : [])]);
  for (let address = part.first; address <= lastOf(part); address++)
    if (!taken.has(address)) return formatAddress(address);
  throw new CleatError("RESOURCE_EXHAUSTED", \`every address of pool "\${id}" is given\`);
}
`;

const ranges = `/** Addresses of IPv4 as numbers, and ranges of them in CIDR notation. */
import { isIPv4 } from "node:net";
import { CleatError } from "cleat/errors";

export interface Range {
  readonly first: number;
  /** Of the prefix: 16 of "10.1.0.0/16". */
  readonly length: number;
}

export function parseAddress(text: string): number {
  if (!isIPv4(text)) throw new CleatError("INVALID_ARGUMENT", \`"\${text}" is not an address of IPv4\`);
  return text.split(".").reduce((address, part) => address * 256 + Number(part), 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

export function parseRange(text: string): Range {
  const [, address = "", length = ""] = /^([\\d.]+)\\/(\\d{1,2})$/.exec(text) ?? [];
  if (address === "" || Number(length) > 32)
    throw new CleatError("INVALID_ARGUMENT", \`"\${text}" is not a range of IPv4\`);
  const size = 2 ** (32 - Number(length));
  return { first: Math.floor(parseAddress(address) / size) * size, length: Number(length) };
}

export function formatRange({ first, length }: Range): string {
  return \`\${formatAddress(first)}/\${length}\`;
}

export function lastOf({ first, length }: Range): number {
  return first + 2 ** (32 - length) - 1;
}

export function contains(outer: Range, inner: Range): boolean {
  return inner.first >= outer.first && lastOf(inner) <= lastOf(outer);
}

export function overlap(one: Range, other: Range): boolean {
  return contains(one, other) || contains(other, one);
}
`;
