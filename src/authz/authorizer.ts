/**
 * The contract of authorization. This file is the manual.
 *
 * An engine asks an **authorizer** twice about each call of its API: before it does it, and before the answer goes out.
 * Each time it is told everything that the engine knows, and the answer is a **decision**. Two things are one:
 *
 * - an `Authorizer` decides about plain facts; a plugin behind a socket is one, see `createAuthorizerFromPlugin`;
 * - a `Policy` is what an author writes: a function of an `ApiRequest`, which reads those facts as Docker does.
 *   `createAuthorizer` makes an authorizer of it, `createAuthzPlugin` a plugin.
 *
 *     const policy: Policy = (request) => {
 *       if (!request.is("POST", "/containers/create")) return allow;
 *       const { HostConfig } = request.json(createBody);
 *       return HostConfig.Privileged ? deny("privileged containers are not allowed") : allow;
 *     };
 *
 * ## Promises
 *
 * - **Whatever goes wrong denies**: a policy that throws, that answers anything but a decision, that takes longer than
 *   its deadline; a request that no Docker would send on, or whose meaning is open: a URI that cannot be read, a body
 *   that is not there, is no JSON, is not of the schema, or names a field twice.
 * - What a policy reads of a request is what Docker's router and its decoders would: `%63reate` is `create`,
 *   `hostconfig` is `HostConfig`, and the first of two values in the query counts (and so two of them deny).
 * - Policies run side by side, and hold no state of a call.
 *
 * ## What Docker does not tell
 *
 * `docker attach`, `exec` and `build` go on over connections that no plugin sees. Docker asks about an answer when the
 * call has been done: denying it hides it, and undoes nothing.
 *
 * Source: moby v20.10.24 `pkg/authorization/{authz,middleware}.go`, v28.5.2 the same files.
 */
import type { X509Certificate } from "node:crypto";
import type { CallOptions } from "../protocol/index.ts";
import type { ApiRequest } from "./api-request.ts";

export interface Authorizer {
  /** Whether the call may be done. */
  authorizeRequest(request: RequestFacts, call?: CallOptions): Promise<Decision>;
  /** Whether the answer may go out. */
  authorizeResponse(request: RequestFacts, response: ResponseFacts, call?: CallOptions): Promise<Decision>;
}

/** An author's rules about requests; about answers see `PolicyOptions.onResponse`. */
export type Policy = (request: ApiRequest, call: PolicyCall) => Decision | Promise<Decision>;

export interface PolicyCall {
  /** Aborts when the engine has given up, or the deadline has passed. */
  readonly signal: AbortSignal;
}

export type Decision = { readonly allow: true } | { readonly allow: false; readonly reason: string };

export const allow: Decision = Object.freeze({ allow: true });

/** `reason` is shown to whoever called the engine. */
export function deny(reason: string): Decision {
  return { allow: false, reason };
}

/** A call of an engine's API, as the engine tells it. */
export interface RequestFacts {
  /** Empty where the client has not proved who it is, as on a unix socket; the common name of its certificate. */
  readonly user: string;
  /** "TLS"; empty where there is no user. */
  readonly authenticationMethod: string;
  /** "POST" */
  readonly method: string;
  /** As the client wrote it: "/v1.41/containers/create?name=web". */
  readonly uri: string;
  /** As Go spells them: "Content-Type". Those with credentials are left out. */
  readonly headers: Readonly<Record<string, string>>;
  /** `undefined` where the engine handed on none, which need not mean that there is none. */
  readonly body: Buffer | undefined;
  /** The client's own certificate first. */
  readonly peerCertificates: readonly X509Certificate[];
}

export interface ResponseFacts {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}
