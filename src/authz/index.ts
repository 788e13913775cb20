/**
 * Authorization: the contract (`authorizer.ts` is the manual), policies that fail closed, both ends of Docker's
 * protocol.
 */
export type * from "./authorizer.ts";
export { allow, deny } from "./authorizer.ts";
export type { ApiQuery } from "./api-query.ts";
export { type ApiRequest, type BodyState, readApiRequest } from "./api-request.ts";
export type { ApiRoute } from "./api-route.ts";
export { type AuthzPlugin, createAuthzPlugin } from "./as-plugin.ts";
export { createAuthorizer, type PolicyOptions } from "./fail-closed.ts";
export { type AuthorizerFromPluginOptions, createAuthorizerFromPlugin } from "./from-plugin.ts";
