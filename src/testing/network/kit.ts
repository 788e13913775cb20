/**
 * The conformance kit for network drivers: what `NetworkDriver` promises, and what Docker does with networks.
 *
 *     await runNetworkDriverKit({ open: async () => myDriver });
 *     await runNetworkDriverKit({ address: { unix: "/run/docker/plugins/theirs.sock" } });
 *
 * Networks and endpoints are made, with whatever links the driver makes for them, and deleted after each check; no
 * container joins for real.
 */
import { readFile } from "node:fs/promises";
import { createNetworkDriverFromPlugin, type NetworkDriver } from "../../network/index.ts";
import type { CheckResult } from "../check.ts";
import {
  type KitRunOptions,
  type KitSubject,
  openSubject,
  refusalsOf,
  type RestartOptions,
  runKit,
} from "../protocol/driver-kit.ts";
import { parseRange } from "../ipam/address-range.ts";
import type { Refusals } from "../refusals.ts";
import { networkDriverChecks } from "./checks/index.ts";
import { createNetworkContext } from "./context.ts";

interface NetworkOptions {
  /** What networks are made with, where the driver needs options. */
  readonly options?: Readonly<Record<string, string>> | undefined;
  /** What the networks' pools are parts of, of /20 or more; default "198.18.0.0/16", of RFC 2544. */
  readonly range?: string | undefined;
  /** Whether links that the driver names can be seen from here; default true. */
  readonly seesLinks?: boolean | undefined;
  /** How they are looked for; default among those of this process's network. */
  readonly hasLink?: ((name: string) => Promise<boolean>) | undefined;
  /** Default: "coded" of a driver in this process and of a plugin whose failures have codes. */
  readonly refusals?: Refusals | undefined;
}

export type NetworkDriverKitOptions = KitRunOptions & RestartOptions & NetworkOptions & KitSubject<NetworkDriver>;

/**
 * Runs the checks one after another. A network that cannot be deleted after a check fails it.
 * @throws INVALID_ARGUMENT when `only` or `expectedFailures` name a check that there is not.
 * @throws what opening the driver, or activating the plugin, throws.
 */
export async function runNetworkDriverKit(options: NetworkDriverKitOptions): Promise<readonly CheckResult[]> {
  const { options: given = {}, range = "198.18.0.0/16", seesLinks = true, hasLink = isLink, killAndRestart } = options;
  const ranges = parseRange(range);
  await using subject = await openSubject<NetworkDriver>(options, createNetworkDriverFromPlugin);
  const { driver, wire } = subject;
  const nobody = "0".repeat(64);
  const refusals =
    options.refusals ??
    (await refusalsOf(() => driver.join(nobody, nobody, { sandboxKey: "/var/run/docker/netns/0" })));
  const look = seesLinks ? hasLink : undefined;
  const shared = { driver, wire, options: given, hasLink: look, ranges, killAndRestart, refusals };
  return await runKit(options, networkDriverChecks, async () => createNetworkContext(shared));
}

/** `/sys/class/net` has the links of the network in which it was mounted, which may be another. Source: proc(5). */
async function isLink(name: string): Promise<boolean> {
  const rows = (await readFile("/proc/self/net/dev", "utf8")).split("\n");
  return rows.some((row) => row.trimStart().startsWith(`${name}:`));
}
