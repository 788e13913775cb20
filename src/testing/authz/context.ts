import { AssertionError } from "node:assert";
import type { Authorizer, RequestFacts } from "../../authz/index.ts";
import { RemoteError, SchemaError, TransportError } from "../../errors/index.ts";
import type { Check } from "../check.ts";
import type { WireContext } from "../protocol/context.ts";

/** What a check of authorization plugins is given. */
export interface AuthzContext extends AsyncDisposable {
  readonly authorizer: Authorizer;
  /** The same as engines ask it; `undefined` where it is in this process. */
  readonly wire: WireContext | undefined;
  /** Ends the plugin's process by SIGKILL and starts another; `undefined` where nobody can. */
  readonly killAndRestart: (() => Promise<void>) | undefined;
  /** A request that the policy denies; `undefined` where none is known. */
  readonly denied: RequestFacts | undefined;
}

/** One promise of authorization, or one thing that engines do. */
export type AuthzCheck = Check<AuthzContext>;

/** A call as Docker tells it of a client on a unix socket. */
export function requestFacts(method: string, uri: string, body?: string | Uint8Array): RequestFacts {
  const bytes = body === undefined ? undefined : Buffer.from(body as string);
  const headers = {
    "User-Agent": "Docker-Client/28.5.2 (linux)",
    ...(bytes !== undefined && { "Content-Type": "application/json", "Content-Length": String(bytes.length) }),
  };
  return { user: "", authenticationMethod: "", method, uri, headers, body: bytes, peerCertificates: [] };
}

/** What many policies deny, the likeliest first. */
const candidates: readonly RequestFacts[] = [
  requestFacts("POST", "/v1.41/containers/create", '{"Image":"small","HostConfig":{"Privileged":true}}'),
  requestFacts("POST", "/v1.41/containers/create", '{"Image":"small","HostConfig":{"Binds":["/:/host"]}}'),
  requestFacts("POST", "/v1.41/containers/cleat-check/exec", '{"Cmd":["sh"],"Privileged":true}'),
  requestFacts("POST", "/v1.41/swarm/init", '{"ListenAddr":"127.0.0.1:2377"}'),
  requestFacts("POST", "/v1.41/plugins/pull?remote=cleat-check", "[]"),
  requestFacts("DELETE", "/v1.41/containers/cleat-check?force=1"),
];

/** The first that is denied by a decision. */
export async function findDenied({ authorizer }: Pick<AuthzContext, "authorizer">): Promise<RequestFacts | undefined> {
  for (const facts of candidates) {
    const decision = await authorizer.authorizeRequest(facts).catch(() => undefined);
    if (decision?.allow === false) return facts;
  }
  return undefined;
}

/** Fails when it is allowed. To Docker a failure denies, too; but not an answer that never comes. */
export async function assertDenied({ authorizer }: AuthzContext, facts: RequestFacts, what: string): Promise<void> {
  const decision = await authorizer.authorizeRequest(facts).catch((error: unknown) => {
    if (error instanceof TransportError) throw error;
    if (error instanceof RemoteError || error instanceof SchemaError) return { allow: false };
    throw error;
  });
  if (!decision.allow) return;
  throw new AssertionError({ message: `${facts.method} ${facts.uri} ${what} is allowed, and is denied otherwise` });
}

export const needsDenied = ({ denied }: AuthzContext): string | undefined =>
  denied === undefined
    ? "the policy denies none of the requests that are known here: name one with --denied"
    : undefined;

export const needsDeniedBody = (context: AuthzContext): string | undefined =>
  needsDenied(context) ?? (context.denied?.body === undefined ? "the request that is denied has no body" : undefined);

/** Of a check that needs it. */
export function deniedOf({ denied }: AuthzContext): RequestFacts {
  if (denied === undefined) throw new Error("no request is known that is denied");
  return denied;
}
