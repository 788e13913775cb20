/**
 * The conformance kit for volume drivers: what `VolumeDriver` promises, and what Docker and Podman do with volumes.
 *
 * A driver in this process:
 *
 *     const results = await runVolumeDriverKit({ open: async () => myDriver });
 *
 * One behind a socket, in whatever language it was written; what goes over the wire is looked at too:
 *
 *     await runVolumeDriverKit({ address: { unix: "/run/docker/plugins/theirs.sock" } });
 *
 * Volumes are made, named `cleat-check-…`, and removed after each check. Under a test runner, make each of
 * `volumeDriverChecks` a test that calls the kit with `only: [check.id]`.
 */
import { RemoteError } from "../../errors/index.ts";
import { type Address, createHttpTransport, type TlsClientOptions } from "../../transport/index.ts";
import { createVolumeDriverFromPlugin, type VolumeDriver } from "../../volume/index.ts";
import type { CheckResult } from "../check.ts";
import { createWireContext, type WireContext } from "../protocol/context.ts";
import type { Refusals } from "../refusals.ts";
import { runChecks } from "../run-checks.ts";
import { createPluginPeer } from "../wire/plugin-peer.ts";
import { volumeDriverChecks } from "./checks/index.ts";
import { createVolumeContext, namePrefix } from "./context.ts";

interface Subject {
  readonly driver: VolumeDriver;
  readonly wire: WireContext | undefined;
  close(): Promise<void>;
}

interface SharedOptions {
  /** What volumes are made with, where the driver needs options. */
  readonly options?: Readonly<Record<string, string>> | undefined;
  /** Whether paths that the driver tells are paths here too; default true. */
  readonly seesFiles?: boolean | undefined;
  /** How long a list of 20 volumes may take; default 1 s. */
  readonly listLimitMs?: number | undefined;
  /** Ends the plugin's process by SIGKILL and starts another, which answers when this resolves. */
  readonly killAndRestart?: (() => Promise<void>) | undefined;
  /** Default: "coded" of a driver in this process and of a plugin whose failures have codes. */
  readonly refusals?: Refusals | undefined;
  /** Ids of the checks to run; default all. */
  readonly only?: readonly string[] | undefined;
  /** Ids of checks that are known to fail, each with the reason. One that passes all the same fails as stale. */
  readonly expectedFailures?: Readonly<Record<string, string>> | undefined;
  /** How long one check may take; default 60 s. */
  readonly timeoutMs?: number | undefined;
  /** Told each result as it comes. */
  onResult?(result: CheckResult): void;
}

export type VolumeDriverKitOptions = SharedOptions &
  (
    | {
        /** The driver, for all checks; it is closed in the end. */
        open(): Promise<VolumeDriver>;
      }
    | {
        readonly address: Address;
        readonly tls?: TlsClientOptions | undefined;
        /** How long a call may take; default 5 s, which is Podman's patience. */
        readonly callTimeoutMs?: number | undefined;
      }
  );

/**
 * Runs the checks one after another. A volume that cannot be removed after a check fails it.
 * @throws INVALID_ARGUMENT when `only` or `expectedFailures` name a check that there is not.
 * @throws what opening the driver, or activating the plugin, throws.
 */
export async function runVolumeDriverKit(options: VolumeDriverKitOptions): Promise<readonly CheckResult[]> {
  const { options: given = {}, seesFiles = true, listLimitMs = 1_000, killAndRestart } = options;
  const { driver, wire, close } = await openSubject(options);
  try {
    const refusals = options.refusals ?? (await refusalsOf(driver));
    const { only, expectedFailures, timeoutMs, onResult } = options;
    return await runChecks({
      only,
      expectedFailures,
      timeoutMs,
      ...(onResult !== undefined && { onResult }),
      checks: volumeDriverChecks,
      openContext: async () =>
        createVolumeContext({ driver, wire, options: given, seesFiles, listLimitMs, killAndRestart, refusals }),
    });
  } finally {
    await close();
  }
}

async function openSubject(options: VolumeDriverKitOptions): Promise<Subject> {
  if ("open" in options) {
    const driver = await options.open();
    return { driver, wire: undefined, close: () => driver.close() };
  }
  const { address, tls, callTimeoutMs = 5_000 } = options;
  const transport = createHttpTransport(address, { ...(tls !== undefined && { tls }) });
  const peer = createPluginPeer(address, tls);
  try {
    return {
      driver: await createVolumeDriverFromPlugin(transport, { name: transport.address, timeoutMs: callTimeoutMs }),
      wire: createWireContext({ peer, callTimeoutMs, idleMs: 0 }),
      close: () => transport.close(),
    };
  } catch (error) {
    await transport.close();
    throw error;
  }
}

/** A plugin that is not Cleat's answers text. */
async function refusalsOf(driver: VolumeDriver): Promise<Refusals> {
  const failure: unknown = await driver.get(`${namePrefix}nobody`).catch((error: unknown) => error);
  return failure instanceof RemoteError && failure.code === "UNKNOWN" ? "text" : "coded";
}
