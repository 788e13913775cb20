import { CleatError, quoteText } from "../errors/index.ts";

/**
 * What networks and endpoints may be called: something that drivers make links and files of, so it holds nothing that a
 * path would resolve or a command line take for an option. Docker's are 64 hexadecimal digits, a swarm's networks 25 of
 * base 36 (moby v20.10.24 `pkg/stringid/stringid.go`; swarmkit `identity/randomid.go`).
 */
export const networkIdPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/;

/** @throws INVALID_ARGUMENT when `id` may not name a network or an endpoint; `kind` says which. */
export function assertNetworkId(id: string, kind: "network" | "endpoint"): void {
  if (networkIdPattern.test(id)) return;
  throw new CleatError("INVALID_ARGUMENT", `${kind} id ${quoteText(id)} is not of the form ${networkIdPattern.source}`);
}
