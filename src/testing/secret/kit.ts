/**
 * The conformance kit for secret providers: what `SecretProvider` promises, and what Docker's swarms ask for.
 *
 *     await runSecretProviderKit({ open: async () => mine, known: { name: "db-password" } });
 *
 * Nothing is made: a provider is only asked.
 */
import { createSecretProviderFromPlugin, type SecretProvider } from "../../secret/index.ts";
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
import { secretProviderChecks } from "./checks.ts";
import { type KnownSecret, requestOf } from "./context.ts";

interface SecretOptions {
  /** A secret that there is; without one only what must be refused is checked. */
  readonly known?: KnownSecret | undefined;
  /** Default: "coded" of a provider in this process and of a plugin whose failures have codes. */
  readonly refusals?: Refusals | undefined;
}

export type SecretProviderKitOptions = KitRunOptions & RestartOptions & SecretOptions & KitSubject<SecretProvider>;

/**
 * Runs the checks one after another.
 * @throws INVALID_ARGUMENT when `only` or `expectedFailures` name a check that there is not.
 * @throws what opening the provider, or activating the plugin, throws.
 */
export async function runSecretProviderKit(options: SecretProviderKitOptions): Promise<readonly CheckResult[]> {
  await using subject = await openSubject(options, createSecretProviderFromPlugin);
  const { driver: provider, wire } = subject;
  const { known, killAndRestart } = options;
  const refusals =
    options.refusals ?? (await refusalsOf(() => provider.getSecret("cleat-check-nobody", requestOf({ known }))));
  const shared = { provider, wire, known, refusals, killAndRestart };
  return await runKit(options, secretProviderChecks, async () => ({ ...shared, async [Symbol.asyncDispose]() {} }));
}
