import type { SecretProvider, SecretRequest } from "../../secret/index.ts";
import type { Check } from "../check.ts";
import type { WireContext } from "../protocol/context.ts";
import type { Refusals } from "../refusals.ts";

/** A secret that there is, and who may have it. */
export interface KnownSecret {
  readonly name: string;
  /** The secret's own. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Of the service that asks. */
  readonly serviceLabels?: Readonly<Record<string, string>> | undefined;
}

/** What a check of secret providers is given. */
export interface SecretContext extends AsyncDisposable {
  readonly provider: SecretProvider;
  /** The same as engines ask it; `undefined` where it is in this process. */
  readonly wire: WireContext | undefined;
  readonly known: KnownSecret | undefined;
  readonly refusals: Refusals;
  /** Ends the plugin's process by SIGKILL and starts another; `undefined` where nobody can. */
  readonly killAndRestart: (() => Promise<void>) | undefined;
}

/** One promise of the contract of secret providers, or one thing that engines do. */
export type SecretCheck = Check<SecretContext>;

/** A task of a service, as a swarm's manager tells of it. */
export function requestOf({ known }: Pick<SecretContext, "known">): SecretRequest {
  return {
    labels: known?.labels ?? {},
    service: { id: "ilvz8i9rwx9046m5dc93d73th", name: "cleat-check", labels: known?.serviceLabels ?? {} },
    task: { id: "nwwuel9amfhy9tr4x53o2f53l", name: "cleat-check.1.nwwuel9amfhy9tr4x53o2f53l", image: "small:latest" },
    nodeId: "p13zjt7294rl4mb88zxhhjwn2",
  };
}

export const needsKnown = ({ known }: SecretContext): string | undefined =>
  known === undefined ? "nobody named a secret that there is (--secret)" : undefined;

/** Of a check that needs it. */
export function knownOf({ known }: SecretContext): KnownSecret {
  if (known === undefined) throw new Error("nobody named a secret that there is");
  return known;
}
