import { pluginProtocol } from "../protocol/index.ts";
import { createHandler, createMemoryTransport, implement, silentLogger } from "../transport/index.ts";
import { type Authorizer, createAuthorizerFromPlugin, createAuthzPlugin, type RequestFacts } from "./index.ts";

export const factsOf = (method: string, uri: string, more: Partial<RequestFacts> = {}): RequestFacts => ({
  user: "",
  authenticationMethod: "",
  method,
  uri,
  headers: {},
  body: undefined,
  peerCertificates: [],
  ...more,
});

export const withJson = (text: string): Partial<RequestFacts> => ({
  headers: { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(text)) },
  body: Buffer.from(text),
});

/** Behind the protocol and in front of it again. */
export async function connectAuthz(what: Parameters<typeof createAuthzPlugin>[0]): Promise<Authorizer> {
  const { service } = createAuthzPlugin(what);
  const activation = implement(pluginProtocol, { activate: async () => ({ Implements: ["authz"] }) });
  const transport = createMemoryTransport(createHandler([activation, service], { logger: silentLogger }));
  return createAuthorizerFromPlugin(transport, { name: "p" });
}
