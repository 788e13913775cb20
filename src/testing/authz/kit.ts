/**
 * The conformance kit for authorization plugins: whatever the policy is, that nobody gets round it, and that it answers
 * what engines ask.
 *
 *     await runAuthzKit({ address: { unix: "/run/docker/plugins/theirs.sock" } });
 *
 * Nothing is made: an authorization plugin is only asked.
 */
import { type Authorizer, createAuthorizerFromPlugin, type RequestFacts } from "../../authz/index.ts";
import type { CheckResult } from "../check.ts";
import { type KitRunOptions, type KitSubject, openSubject, type RestartOptions, runKit } from "../driver-kit.ts";
import { authzChecks } from "./checks/index.ts";
import { findDenied } from "./context.ts";

interface AuthzOptions {
  /** A request that the policy denies; default one of those that many policies deny, where this one does. */
  readonly denied?: RequestFacts | undefined;
}

export type AuthzKitOptions = KitRunOptions & RestartOptions & AuthzOptions & KitSubject<Authorizer>;

/**
 * Runs the checks one after another.
 * @throws INVALID_ARGUMENT when `only` or `expectedFailures` name a check that there is not.
 * @throws what opening the authorizer, or activating the plugin, throws.
 */
export async function runAuthzKit(options: AuthzKitOptions): Promise<readonly CheckResult[]> {
  await using subject = await openSubject<Authorizer>(options, createAuthorizerFromPlugin);
  const { driver: authorizer, wire } = subject;
  const denied = options.denied ?? (await findDenied({ authorizer }));
  const { killAndRestart } = options;
  return await runKit(options, authzChecks, async () => ({
    authorizer,
    wire,
    denied,
    killAndRestart,
    async [Symbol.asyncDispose]() {},
  }));
}
