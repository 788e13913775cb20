import { authzProtocol } from "../protocol/index.ts";
import { assertMethods, implement, type Service, toCallOptions } from "../transport/index.ts";
import type { Authorizer, Decision, Policy } from "./authorizer.ts";
import { createAuthorizer, type PolicyOptions } from "./fail-closed.ts";
import { fromWireRequest, fromWireResponse } from "./wire-shapes.ts";

/** An authorizer, ready for `serve`. */
export interface AuthzPlugin {
  readonly service: Service;
  readonly authorizer: Authorizer;
}

/**
 * Serves a policy over Docker's protocol, failing closed: see `createAuthorizer`. An authorizer that somebody has made
 * is served by `{ authorizer }`. A call that is malformed, or longer than the table allows, is a failure, which denies.
 *
 *     await serve({ listen: "my-policy", drivers: [createAuthzPlugin(policy)] });
 *
 * Docker asks plugins that it was told of (`dockerd --authorization-plugin my-policy`) about everything: while such a
 * plugin is not there, nobody can use the engine.
 *
 * @throws INVALID_ARGUMENT when it is neither a policy nor an authorizer.
 */
export function createAuthzPlugin(what: Policy | PolicyOptions | { readonly authorizer: Authorizer }): AuthzPlugin {
  const authorizer = toAuthorizer(what);
  const service = implement(authzProtocol, {
    authZReq: async (request, call) =>
      toWireDecision(await authorizer.authorizeRequest(fromWireRequest(request), toCallOptions(call))),
    authZRes: async (request, call) =>
      toWireDecision(
        await authorizer.authorizeResponse(fromWireRequest(request), fromWireResponse(request), toCallOptions(call)),
      ),
  });
  return { service, authorizer };
}

function toAuthorizer(what: Policy | PolicyOptions | { readonly authorizer: Authorizer }): Authorizer {
  if (typeof what === "function") return createAuthorizer({ policy: what });
  if (typeof what !== "object" || what === null || !("authorizer" in what)) return createAuthorizer(what);
  assertMethods(what.authorizer, ["authorizeRequest", "authorizeResponse"], "createAuthzPlugin: authorizer");
  return what.authorizer;
}

/** The reason of a denial is what Docker's user reads after "authorization denied by plugin NAME: ". */
function toWireDecision(decision: Decision): { Allow: boolean; Msg?: string } {
  return decision.allow === true ? { Allow: true } : { Allow: false, Msg: decision.reason };
}
