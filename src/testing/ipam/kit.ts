/**
 * The conformance kit for IPAM drivers: what `IpamDriver` promises, and what Docker does with pools and addresses.
 *
 *     await runIpamDriverKit({ open: async () => myDriver });
 *     await runIpamDriverKit({ address: { unix: "/run/docker/plugins/theirs.sock" } });
 *
 * Pools are asked for, some by name in `range`, and released after each check.
 */
import { createIpamDriverFromPlugin, type IpamDriver } from "../../ipam/index.ts";
import type { CheckResult } from "../check.ts";
import {
  type KitRunOptions,
  type KitSubject,
  openSubject,
  refusalsOf,
  type RestartOptions,
  runKit,
} from "../driver-kit.ts";
import type { Refusals } from "../refusals.ts";
import { parseRange } from "./address-range.ts";
import { ipamDriverChecks } from "./checks/index.ts";
import { createIpamContext } from "./context.ts";

interface IpamOptions {
  /** What pools are asked for with, where the driver needs options. */
  readonly options?: Readonly<Record<string, string>> | undefined;
  /** What pools that are asked for by name are parts of, of /20 or more; default "198.18.0.0/16", of RFC 2544. */
  readonly range?: string | undefined;
  /** Default: "coded" of a driver in this process and of a plugin whose failures have codes. */
  readonly refusals?: Refusals | undefined;
}

export type IpamDriverKitOptions = KitRunOptions & RestartOptions & IpamOptions & KitSubject<IpamDriver>;

/**
 * Runs the checks one after another. A pool that cannot be released after a check fails it.
 * @throws INVALID_ARGUMENT when `only` or `expectedFailures` name a check that there is not.
 * @throws what opening the driver, activating the plugin, or asking for its address spaces throws.
 */
export async function runIpamDriverKit(options: IpamDriverKitOptions): Promise<readonly CheckResult[]> {
  const { options: given = {}, range = "198.18.0.0/16", killAndRestart } = options;
  const ranges = parseRange(range);
  await using subject = await openSubject(options, createIpamDriverFromPlugin);
  const { driver, wire } = subject;
  const refusals = options.refusals ?? (await refusalsOf(() => driver.requestAddress("cleat-check-nobody")));
  const { local: space } = await driver.defaultAddressSpaces();
  const shared = { driver, wire, options: given, space, ranges, killAndRestart, refusals };
  return await runKit(options, ipamDriverChecks, async () => createIpamContext(shared));
}
