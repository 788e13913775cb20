/**
 * The generic kit for plugins, in any language: what the table of each protocol says, and what every plugin has in
 * common. Nothing is made by it.
 *
 *     const results = await runPluginKit({ address: { unix: "/run/docker/plugins/theirs.sock" } });
 *
 * What a plugin makes of good calls is for the kit of its protocol: `runVolumeDriverKit`, `runGraphDriverKit`.
 */
import { announcedName, type Protocol, protocols } from "../../protocol/index.ts";
import type { Address, TlsClientOptions } from "../../transport/index.ts";
import type { CheckResult } from "../check.ts";
import { runChecks } from "../run-checks.ts";
import { createPluginPeer } from "../wire/plugin-peer.ts";
import { checksOfProtocol } from "./checks/of-protocol.ts";
import { pluginChecks } from "./checks/plugin.ts";
import { createWireContext, type WireCheck } from "./context.ts";

export interface PluginKitOptions {
  readonly address: Address;
  readonly tls?: TlsClientOptions | undefined;
  /** Checks of `wireChecksOf`; default those of what the plugin lists in its manifest. */
  readonly checks?: readonly WireCheck[] | undefined;
  /** How long a call may take; default 5 s, which is Podman's patience. */
  readonly callTimeoutMs?: number | undefined;
  /** How long a connection is to be kept idle; default 6 s, as many servers close theirs after 5. */
  readonly idleMs?: number | undefined;
  /** Ids of the checks to run; default all. */
  readonly only?: readonly string[] | undefined;
  /** Ids of checks that are known to fail, each with the reason. One that passes all the same fails as stale. */
  readonly expectedFailures?: Readonly<Record<string, string>> | undefined;
  /** How long one check may take; default 60 s. */
  readonly timeoutMs?: number | undefined;
  /** Told each result as it comes. */
  onResult?(result: CheckResult): void;
}

/** The checks of every plugin, and of one that lists `implemented` in its manifest. */
export function wireChecksOf(implemented: readonly string[]): readonly WireCheck[] {
  return [...pluginChecks, ...protocolsOf(implemented).flatMap(checksOfProtocol)];
}

/** Those whose tables are here. */
function protocolsOf(implemented: readonly string[]): readonly Protocol[] {
  return protocols.filter((protocol) => implemented.includes(announcedName(protocol)));
}

/**
 * Runs the checks one after another.
 * @throws AssertionError when `checks` is not given and the plugin does not answer its activation.
 * @throws INVALID_ARGUMENT when `only` or `expectedFailures` name a check that there is not, or `tls` is of no use.
 */
export async function runPluginKit(options: PluginKitOptions): Promise<readonly CheckResult[]> {
  const { address, tls, idleMs = 6_000, callTimeoutMs = 5_000, ...run } = options;
  const peer = createPluginPeer(address, tls);
  const openContext = async () => createWireContext({ peer, idleMs, callTimeoutMs });
  const checks = options.checks ?? wireChecksOf(await (await openContext()).activate());
  return await runChecks({ ...run, checks, openContext });
}
