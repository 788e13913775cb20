/** The plugin's process is killed between any two calls, and another one takes its place. */
import { equal, ok } from "node:assert/strict";
import { needsRestart } from "../../driver-kit.ts";
import { overlap, parseRange } from "../address-range.ts";
import { type IpamCheck, type IpamContext, withoutPrefix } from "../context.ts";

const facts = {
  source: "kill(2) SIGKILL; moby v20.10.24 asks again only where RequiresRequestReplay says so",
  symptom: "After a crash or an update of the plugin two containers, or two networks, have the same addresses.",
  makes: "pools, and new processes of the plugin",
  needs: needsRestart,
};

export const restartChecks: readonly IpamCheck[] = [
  {
    id: "restart/after-pool",
    title: "a plugin that is killed after it gave a pool gives it to nobody else",
    ...facts,
    async run({ requestPool, driver, killAndRestart, range, refused, space, options }) {
      const chosen = await requestPool();
      await requestPool({ pool: range(24) });
      await killAndRestart?.();
      const around = range(23);
      await refused(driver.requestPool({ addressSpace: space, pool: around, options }), "ALREADY_EXISTS", around);
      ok(!overlap(parseRange(chosen.pool), parseRange((await requestPool()).pool)), "the pool was chosen again");
    },
  },
  {
    id: "restart/after-address",
    title: "a plugin that is killed after it gave an address gives it to nobody else",
    ...facts,
    async run({ requestPool, requestAddress, driver, killAndRestart, range, refused }) {
      const { id } = await requestPool({ pool: range(24) });
      const taken = await requestAddress(id);
      await killAndRestart?.();
      const address = withoutPrefix(taken);
      await refused(driver.requestAddress(id, { address }), "ALREADY_EXISTS", address);
      const others = [await requestAddress(id), await requestAddress(id)];
      ok(!others.includes(taken), `${taken} was chosen again`);
    },
  },
  {
    id: "restart/after-address-released",
    title: "a plugin that is killed after it took an address back gives it again",
    ...facts,
    symptom: "After crashes of the plugin addresses are lost for good.",
    async run(context) {
      const { requestPool, requestAddress, releaseAddress, killAndRestart, range } = context;
      const { id } = await requestPool({ pool: range(24) });
      const address = withoutPrefix(await requestAddress(id));
      await releaseAddress(id, address);
      await killAndRestart?.();
      equal(await requestAddress(id, { address }), `${address}/24`);
    },
  },
  {
    id: "restart/after-pool-released",
    title: "a plugin that is killed after it took a pool back gives it again",
    ...facts,
    symptom: "After crashes of the plugin subnets cannot be used any more.",
    async run({ requestPool, releasePool, killAndRestart, range }: IpamContext) {
      await releasePool((await requestPool({ pool: range(24) })).id);
      await killAndRestart?.();
      equal((await requestPool({ pool: range(24) })).pool, range(24));
    },
  },
];
