/**
 * The conformance kit for log drivers: what `LogDriver` promises, and what Docker does with logs.
 *
 *     await runLogDriverKit({ open: async () => myDriver });
 *     await runLogDriverKit({ address: { unix: "/run/docker/plugins/theirs.sock" } });
 *
 * Logs of containers that there are not are written and read back. What a driver keeps of them stays with it: there is
 * no method to delete a log.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogDriverFromPlugin, createLogDriverPlugin, type LogDriver } from "../../logdriver/index.ts";
import { logDriverProtocol, pluginProtocol } from "../../protocol/index.ts";
import { createHandler, createMemoryTransport, implement, silentLogger } from "../../transport/index.ts";
import type { CheckResult } from "../check.ts";
import { type KitRunOptions, type KitSubject, openSubject, type RestartOptions, runKit } from "../driver-kit.ts";
import type { Refusals } from "../refusals.ts";
import { logDriverChecks } from "./checks/index.ts";
import { createLogContext } from "./context.ts";

interface LogOptions {
  /** What logs are opened with, where the driver needs options. */
  readonly options?: Readonly<Record<string, string>> | undefined;
  /** Where pipes are made, which the plugin sees under the same path; default the folder for temporary files. */
  readonly folder?: string | undefined;
  /** How long entries may take to be read back, and a pipe to be emptied; default 5 s. */
  readonly patienceMs?: number | undefined;
  /** Default: "coded" of a driver in this process, "text" of a plugin. */
  readonly refusals?: Refusals | undefined;
}

export type LogDriverKitOptions = KitRunOptions & RestartOptions & LogOptions & KitSubject<LogDriver>;

/**
 * Runs the checks one after another.
 * @throws INVALID_ARGUMENT when `only` or `expectedFailures` name a check that there is not.
 * @throws what opening the driver, or activating the plugin, throws.
 */
export async function runLogDriverKit(options: LogDriverKitOptions): Promise<readonly CheckResult[]> {
  const { options: given = {}, folder = tmpdir(), patienceMs = 5_000, killAndRestart } = options;
  const pipes = await mkdtemp(join(folder, "cleat-check-"));
  try {
    await using subject = await openSubject<LogDriver>(
      "open" in options ? { open: () => openBehindProtocol(options.open, pipes) } : options,
      (transport, more) => createLogDriverFromPlugin(transport, { ...more, folder: pipes }),
    );
    const { driver, wire } = subject;
    const refusals = options.refusals ?? (wire === undefined ? "coded" : "text");
    const shared = { driver, wire, options: given, pipes, patienceMs, refusals, killAndRestart };
    return await runKit(options, logDriverChecks, async () => createLogContext(shared));
  } finally {
    await rm(pipes, { recursive: true, force: true });
  }
}

/** Part of what the contract promises is done by what serves the driver, which reads the pipes. */
async function openBehindProtocol(open: () => Promise<LogDriver>, folder: string): Promise<LogDriver> {
  const plugin = createLogDriverPlugin({ driver: await open() });
  const activation = implement(pluginProtocol, { activate: async () => ({ Implements: [logDriverProtocol.name] }) });
  const transport = createMemoryTransport(createHandler([activation, plugin.service], { logger: silentLogger }));
  const driver = await createLogDriverFromPlugin(transport, { name: "driver", folder });
  return { ...driver, close: () => plugin.close() };
}
