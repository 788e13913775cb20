import { equal, ok } from "node:assert/strict";
import { formatAddress, isIn, parseAddress, parseRange } from "../address-range.ts";
import { type IpamCheck, type IpamContext, withoutPrefix } from "../context.ts";

const contract = "moby v28.5.2 libnetwork/docs/ipam.md";
const makes = "pools";
const twice = "Two containers have one address: connections go now to one, now to the other.";

const takeMany = (count: number, take: () => Promise<string>) => Promise.all(Array.from({ length: count }, take));

export const addressChecks: readonly IpamCheck[] = [
  {
    id: "address/chosen",
    title: "chooses an address of the pool, with the length of the pool's prefix",
    source: `${contract} RequestAddress`,
    symptom: "docker run fails, or the container reaches nobody of its network.",
    makes,
    async run({ requestPool, requestAddress }) {
      const { id, pool } = await requestPool();
      const { length, ...range } = parseRange(pool);
      const [address = "", digits] = (await requestAddress(id)).split("/");
      ok(isIn(parseAddress(address), { length, ...range }), `${address} is not of pool ${pool}`);
      equal(digits, String(length), `${address}/${digits} has another prefix than pool ${pool}`);
    },
  },
  {
    id: "address/once",
    title: "chooses an address once, and never the first or the last of the pool",
    source: `${contract} RequestAddress; RFC 919, RFC 1122 3.2.1.3 on the addresses of a network and of all in it`,
    symptom: twice,
    makes,
    async run({ requestPool, requestAddress }) {
      const { id, pool } = await requestPool();
      const { first, last } = parseRange(pool);
      const gateway = await requestAddress(id, { type: "gateway" });
      const chosen = [gateway];
      for (let time = 0; time < 10; time++) chosen.push(await requestAddress(id));
      equal(new Set(chosen).size, chosen.length, `given twice: ${chosen.join(", ")}`);
      const reserved = [first, last].map(formatAddress);
      ok(!chosen.some((one) => reserved.includes(withoutPrefix(one))), `${reserved.join(" or ")} was given`);
    },
  },
  {
    id: "address/together",
    title: "chooses 32 addresses for callers that ask at once, all different",
    source: "docker compose up, which starts containers side by side",
    symptom: twice,
    makes,
    async run({ requestPool, requestAddress, range }) {
      const { id } = await requestPool({ pool: range(24) });
      const chosen = await takeMany(32, () => requestAddress(id));
      equal(new Set(chosen).size, chosen.length, `given twice: ${chosen.toSorted().join(", ")}`);
    },
  },
  {
    id: "address/by-name",
    title: "gives an address that is asked for by name, and to nobody else",
    source: `${contract} RequestAddress; recorded (test/golden): docker run --ip`,
    symptom: `docker run --ip gets another address; or: ${twice}`,
    makes,
    async run({ driver, requestPool, requestAddress, range, refused }) {
      const { id } = await requestPool({ pool: range(24) });
      const address = formatAddress(parseRange(range(24)).first + 9);
      equal(await requestAddress(id, { address }), `${address}/24`);
      await refused(driver.requestAddress(id, { address }), "ALREADY_EXISTS", address);
      const others = await takeMany(12, () => requestAddress(id));
      ok(!others.includes(`${address}/24`), `${address} was chosen again`);
      const chosen = withoutPrefix(others[0] ?? "");
      await refused(driver.requestAddress(id, { address: chosen }), "ALREADY_EXISTS", chosen);
    },
  },
  {
    id: "address/outside",
    title: "refuses an address that is not of the pool, and what is no address",
    source: `${contract} RequestAddress`,
    symptom: "docker run --ip with a misspelt address starts a container that nobody reaches.",
    makes,
    async run({ driver, requestPool, range, refused }) {
      const { id } = await requestPool({ pool: range(24) });
      const outside = formatAddress(parseRange(range(24, 7)).first + 9);
      for (const address of [outside, "10.1.0", "name"]) {
        await refused(driver.requestAddress(id, { address }), "INVALID_ARGUMENT", address);
      }
    },
  },
  {
    id: "address/gateway",
    title: "chooses a gateway's address, and gives one that is asked for by name",
    source: "moby v20.10.24 vendor/github.com/docker/libnetwork/network.go ipamAllocateVersion; recorded (test/golden)",
    symptom: 'docker network create fails: "failed to allocate gateway".',
    makes,
    async run({ requestPool, requestAddress, range }) {
      const [chosen, named] = [await requestPool(), await requestPool({ pool: range(24) })];
      ok(
        isIn(
          parseAddress(withoutPrefix(await requestAddress(chosen.id, { type: "gateway" }))),
          parseRange(chosen.pool),
        ),
      );
      const address = formatAddress(parseRange(range(24)).first + 254);
      equal(await requestAddress(named.id, { type: "gateway", address }), `${address}/24`);
    },
  },
  {
    id: "address/released",
    title: "gives an address again that was released, by name and by choice",
    source: `${contract} ReleaseAddress`,
    symptom: "After as many docker runs as the pool has addresses no container starts any more.",
    makes,
    async run(context) {
      const { requestPool, requestAddress, releaseAddress, range } = context;
      const { id } = await requestPool({ pool: range(24) });
      const address = formatAddress(parseRange(range(24)).first + 9);
      for (let time = 0; time < 3; time++) {
        equal(await requestAddress(id, { address }), `${address}/24`);
        await releaseAddress(id, address);
      }
      await context.releasePool(id);
      const small = await requestPool({ pool: range(29) });
      const all = await takeAll(context, small.id, 8);
      for (const one of all) await releaseAddress(small.id, one);
      equal((await takeAll(context, small.id, 8)).length, all.length);
    },
  },
  {
    id: "address/all-given",
    title: "refuses when every address of a pool is given, and goes on when one is back",
    source: `${contract} RequestAddress`,
    symptom: twice,
    makes,
    async run(context) {
      const { driver, requestPool, requestAddress, releaseAddress, range, refused } = context;
      const { id } = await requestPool({ pool: range(29) });
      const all = await takeAll(context, id, 8);
      ok(all.length >= 5, `only ${all.length} of the 6 addresses of a /29 were given`);
      equal(new Set(all).size, all.length, `given twice: ${all.join(", ")}`);
      await refused(driver.requestAddress(id), "RESOURCE_EXHAUSTED", id);
      const [back = ""] = all;
      await releaseAddress(id, back);
      equal(withoutPrefix(await requestAddress(id)), back);
    },
  },
  {
    id: "address/released-twice",
    title: "takes an address that nobody has for released",
    source: "moby v20.10.24 vendor/github.com/docker/libnetwork/endpoint.go releaseAddress: failures are only logged",
    symptom: "Docker's log has a warning, and nobody sees it.",
    advice: true,
    makes,
    async run({ driver, requestPool, requestAddress, releaseAddress, range }) {
      const { id } = await requestPool({ pool: range(24) });
      const address = withoutPrefix(await requestAddress(id));
      await releaseAddress(id, address);
      await driver.releaseAddress(id, address);
      await driver.releaseAddress(id, formatAddress(parseRange(range(24)).first + 200));
    },
  },
  {
    id: "address/released-of-another",
    title: "frees nothing of a pool when an address of another pool is released",
    source: `${contract} ReleaseAddress`,
    symptom: twice,
    makes,
    async run({ driver, requestPool, requestAddress, range, refused }) {
      const [one, other] = [await requestPool({ pool: range(24) }), await requestPool({ pool: range(24, 1) })];
      const address = withoutPrefix(await requestAddress(one.id));
      await driver.releaseAddress(other.id, address).catch(() => {}); // refusing it is as good
      await refused(driver.requestAddress(one.id, { address }), "ALREADY_EXISTS", address);
    },
  },
  {
    id: "address/unknown-pool",
    title: "refuses an address of a pool that is not there",
    source: `${contract} RequestAddress`,
    symptom: twice,
    makes,
    async run({ driver, requestPool, releasePool, range, refused }) {
      await refused(driver.requestAddress("cleat-check-nobody"), "NOT_FOUND", "cleat-check-nobody");
      const { id } = await requestPool({ pool: range(24) });
      await releasePool(id);
      await refused(driver.requestAddress(id), "NOT_FOUND", id);
    },
  },
];

/** Plain addresses, until the driver has no more; at most `limit`. */
async function takeAll({ requestAddress }: IpamContext, poolId: string, limit: number): Promise<string[]> {
  const all: string[] = [];
  while (all.length < limit) {
    const next = await requestAddress(poolId).catch(() => undefined);
    if (next === undefined) break;
    all.push(withoutPrefix(next));
  }
  return all;
}
