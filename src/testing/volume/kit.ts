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
import { createVolumeDriverFromPlugin, type VolumeDriver } from "../../volume/index.ts";
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
import { volumeDriverChecks } from "./checks/index.ts";
import { createVolumeContext, namePrefix } from "./context.ts";

interface VolumeOptions {
  /** What volumes are made with, where the driver needs options. */
  readonly options?: Readonly<Record<string, string>> | undefined;
  /** Whether paths that the driver tells are paths here too; default true. */
  readonly seesFiles?: boolean | undefined;
  /** How long a list of 20 volumes may take; default 1 s. */
  readonly listLimitMs?: number | undefined;
  /** Default: "coded" of a driver in this process and of a plugin whose failures have codes. */
  readonly refusals?: Refusals | undefined;
}

export type VolumeDriverKitOptions = KitRunOptions & RestartOptions & VolumeOptions & KitSubject<VolumeDriver>;

/**
 * Runs the checks one after another. A volume that cannot be removed after a check fails it.
 * @throws INVALID_ARGUMENT when `only` or `expectedFailures` name a check that there is not.
 * @throws what opening the driver, or activating the plugin, throws.
 */
export async function runVolumeDriverKit(options: VolumeDriverKitOptions): Promise<readonly CheckResult[]> {
  const { options: given = {}, seesFiles = true, listLimitMs = 1_000, killAndRestart } = options;
  await using subject = await openSubject(options, createVolumeDriverFromPlugin);
  const { driver, wire } = subject;
  const refusals = options.refusals ?? (await refusalsOf(() => driver.get(`${namePrefix}nobody`)));
  const shared = { driver, wire, options: given, seesFiles, listLimitMs, killAndRestart, refusals };
  return await runKit(options, volumeDriverChecks, async () => createVolumeContext(shared));
}
