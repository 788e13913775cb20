/**
 * The conformance kit for graph drivers: everything that `GraphDriver` promises, as checks that run without a test
 * runner against any driver.
 *
 * A driver in this process is its factory:
 *
 *     const results = await runGraphDriverKit({ open: overlay2.open, folder: "/var/tmp" });
 *     const failed = results.filter(({ outcome }) => outcome === "failed");
 *
 * A driver behind a socket, in whatever language it was written, is opened as `open` says, and closed with what carried
 * it:
 *
 *     const transport = createHttpTransport({ unix: "/run/docker/plugins/theirs.sock" });
 *     await runGraphDriverKit({
 *       open: (options) => createGraphDriverFromPlugin(transport, { ...options, name: "theirs" }),
 *       refusals: "text",
 *       expectedFailures: { "life/create-twice": "a second Create is accepted: issue 12" },
 *     });
 *
 * The plugin must see the same files as the kit: its paths are followed. Under a test runner, make each of
 * `graphDriverChecks` a test that calls the kit with `only: [check.id]`.
 *
 * What a driver can do beyond the contract is told by its `capabilities`, which a plugin answers to
 * `GraphDriver.Capabilities` (`Mounts`, `EnforcesSize`, `MaxDepth` beside Docker's own field).
 */
import { tmpdir } from "node:os";
import type { GraphDriverFactory } from "../../graphdriver/index.ts";
import type { CheckResult } from "../check.ts";
import { runChecks } from "../run-checks.ts";
import { graphDriverChecks } from "./checks/index.ts";
import { createContextSource } from "./context.ts";
import type { Refusals } from "../refusals.ts";

export interface GraphDriverKitOptions {
  /** Opens the driver on a home that is empty or not there yet, and, after `close`, again on the same one. */
  readonly open: GraphDriverFactory["open"];
  /** An existing folder on the file system to be tested; default the system's folder for temporary files. */
  readonly folder?: string;
  /** Default "coded". */
  readonly refusals?: Refusals;
  /**
   * Opens a driver for many checks instead of one for each: several times as fast, but a check may suffer from what an
   * earlier one did. Default false.
   */
  readonly reuse?: boolean;
  /** Ids of the checks to run; default all. */
  readonly only?: readonly string[];
  /** Ids of checks that are known to fail, each with the reason. One that passes all the same fails as stale. */
  readonly expectedFailures?: Readonly<Record<string, string>>;
  /** How long one check may take; default 60 s. */
  readonly timeoutMs?: number;
  /** Told each result as it comes. */
  onResult?(result: CheckResult): void;
}

/**
 * Runs the checks one after another. What a check made is removed after it, with the home unless that is reused; a
 * layer that cannot be removed or a mount that stays fails the check. As root everything is checked, as an ordinary
 * user what such a one can do.
 * @throws INVALID_ARGUMENT when `only` or `expectedFailures` name a check that there is not.
 */
export async function runGraphDriverKit(options: GraphDriverKitOptions): Promise<readonly CheckResult[]> {
  const { open, folder = tmpdir(), refusals = "coded", reuse = false, ...run } = options;
  await using source = createContextSource({ open, folder, refusals, reuse });
  return await runChecks({ ...run, checks: graphDriverChecks, openContext: source.openContext });
}
