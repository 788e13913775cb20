import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { parseRange, overlap } from "../address-range.ts";
import { type IpamCheck, withoutPrefix } from "../context.ts";

const contract = "moby v28.5.2 libnetwork/docs/ipam.md";
const allocate = "moby v20.10.24 vendor/github.com/docker/libnetwork/network.go requestPoolHelper";
const makes = "pools";

export const poolChecks: readonly IpamCheck[] = [
  {
    id: "spaces/named",
    title: "names an address space for networks of a host, and one for those of a swarm",
    source: `${contract} GetDefaultAddressSpaces`,
    symptom: 'docker network create --ipam-driver fails: "failed to get default address space".',
    async run({ driver }) {
      const { local, global } = await driver.defaultAddressSpaces();
      ok(local !== "" && global !== "", `local ${JSON.stringify(local)}, global ${JSON.stringify(global)}`);
    },
  },
  {
    id: "pool/chosen",
    title: "chooses a pool where none is asked for: an id, and a range whose address has no bits beyond its prefix",
    source: `${contract} RequestPool`,
    symptom: "docker network create --ipam-driver without --subnet fails.",
    makes,
    async run({ requestPool }) {
      const { id, pool } = await requestPool();
      ok(id !== "", "the pool's id is empty");
      parseRange(pool);
    },
  },
  {
    id: "pool/chosen-apart",
    title: "chooses another pool each time, and none that overlaps one before, until those are released",
    source: allocate,
    symptom:
      "Two networks share their addresses; or docker network create hangs for good, as Docker asks on until a pool " +
      "overlaps none of the host's.",
    makes,
    async run({ requestPool }) {
      const pools = [await requestPool(), await requestPool(), await requestPool()];
      const ranges = pools.map(({ pool }) => parseRange(pool));
      for (const [at, one] of ranges.entries()) {
        const other = ranges.slice(0, at).find((before) => overlap(before, one));
        ok(other === undefined, `${pools[at]?.pool} overlaps another of ${pools.map(({ pool }) => pool).join(", ")}`);
      }
      equal(new Set(pools.map(({ id }) => id)).size, pools.length, "two pools have one id");
    },
  },
  {
    id: "pool/by-name",
    title: "gives the pool that is asked for by name",
    source: `${contract} RequestPool`,
    symptom: "docker network create --subnet makes another network than was asked for, or fails.",
    makes,
    async run({ requestPool, range }) {
      equal((await requestPool({ pool: range(24) })).pool, range(24));
    },
  },
  {
    id: "pool/overlap",
    title: "refuses a pool that overlaps another of its address space, one around it and one within it",
    source: `${contract} ("a set of non-overlapping pools")`,
    symptom: "Two networks that were made with --subnet give two containers the same address.",
    makes,
    async run({ driver, requestPool, range, refused, options, space }) {
      await requestPool({ pool: range(24) });
      for (const pool of [range(23), range(25), range(25, 1), range(28, 3)]) {
        await refused(driver.requestPool({ addressSpace: space, pool, options }), "ALREADY_EXISTS", pool);
      }
    },
  },
  {
    id: "pool/same-again",
    title: "refuses a pool that is in use, or gives the same one, whose addresses are still given once",
    source: `${contract} RequestPool ("Multiple identical calls must return the same result"); moby v20.10.24 refuses`,
    symptom: "Two networks that were made with the same --subnet give two containers the same address.",
    makes,
    async run({ requestPool, requestAddress, range }) {
      const first = await requestPool({ pool: range(24) });
      const taken = await requestAddress(first.id);
      const second = await requestPool({ pool: range(24) }).catch(() => undefined);
      if (second === undefined) return;
      equal(second.id, first.id);
      notEqual(await requestAddress(second.id), taken);
    },
  },
  {
    id: "pool/beside",
    title: "gives a pool that lies beside another one",
    source: `${contract} RequestPool`,
    symptom: "docker network create --subnet fails with an overlap that there is not.",
    makes,
    async run({ requestPool, range }) {
      const pools = [range(24), range(24, 1), range(25, 4)];
      for (const pool of pools) equal((await requestPool({ pool })).pool, pool);
    },
  },
  {
    id: "pool/released",
    title: "gives a pool again that was released",
    source: `${contract} ReleasePool`,
    symptom: "After docker network rm the subnet cannot be used again, or the driver runs out of pools.",
    makes,
    async run({ requestPool, releasePool, range }) {
      for (let time = 0; time < 3; time++) await releasePool((await requestPool({ pool: range(24) })).id);
    },
  },
  {
    id: "pool/released-with-addresses",
    title: "takes back with a pool what is left of its addresses",
    source:
      "moby v20.10.24 vendor/github.com/docker/libnetwork/network.go ipamReleaseVersion: failures are only logged",
    symptom: "After a crash of the daemon, docker network rm leaves addresses that nobody gets again.",
    makes,
    async run({ requestPool, requestAddress, driver, range, options, space }) {
      const { id } = await requestPool({ pool: range(24) });
      const address = await requestAddress(id);
      await driver.releasePool(id);
      const again = await driver.requestPool({ addressSpace: space, pool: range(24), options });
      try {
        const wanted = withoutPrefix(address);
        equal((await driver.requestAddress(again.id, { address: wanted })).address, address);
        await driver.releaseAddress(again.id, wanted);
      } finally {
        if (again.id !== id) await driver.releasePool(again.id);
      }
    },
  },
  {
    id: "pool/released-twice",
    title: "takes a pool that was released, or never was, for released",
    source: "moby v20.10.24 vendor/github.com/docker/libnetwork/network.go ipamReleaseVersion",
    symptom: "Docker's log has a warning, and nobody sees it.",
    advice: true,
    makes,
    async run({ driver, requestPool, releasePool, range }) {
      const { id } = await requestPool({ pool: range(24) });
      await releasePool(id);
      await driver.releasePool(id);
      await driver.releasePool(`${id}-never-there`);
    },
  },
  {
    id: "pool/malformed",
    title: "refuses what is no range, and a sub-pool that is not of its pool",
    source: `${contract} RequestPool`,
    symptom: "docker network create with a misspelt --subnet or --ip-range succeeds with another one.",
    makes,
    async run({ requestPool, range, refused }) {
      await refused(requestPool({ pool: "10.1.0.0" }), "INVALID_ARGUMENT", "10.1.0.0");
      await refused(requestPool({ pool: "10.1.0.0/33" }), "INVALID_ARGUMENT", "10.1.0.0/33");
      const outside = { pool: range(24), subPool: range(25, 8) };
      await refused(requestPool(outside), "INVALID_ARGUMENT", outside.subPool);
    },
  },
  {
    id: "pool/sub-pool",
    title: "chooses addresses of a pool's sub-pool, and gives any of the pool by name",
    source: `${contract} ("If specified, this becomes the container pool"); recorded (test/golden)`,
    symptom: "docker network create --ip-range is not kept to: containers get addresses of other hosts.",
    makes,
    async run({ requestPool, requestAddress, range }) {
      const pool = { pool: range(24), subPool: range(27, 4) };
      const { id } = await requestPool(pool);
      const { first, last } = parseRange(pool.subPool);
      for (let time = 0; time < 8; time++) {
        const chosen = parseRange(`${withoutPrefix(await requestAddress(id))}/32`).first;
        ok(chosen >= first && chosen <= last, "an address is not of the sub-pool");
      }
      const outside = range(32, 77);
      deepEqual(await requestAddress(id, { address: withoutPrefix(outside) }), outside.replace("/32", "/24"));
    },
  },
];
