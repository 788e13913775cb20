import { authzProtocol } from "../protocol/index.ts";
import { activate, assertImplements, type ClientOptions, createClient, type Transport } from "../transport/index.ts";
import { type Authorizer, type Decision, deny } from "./authorizer.ts";
import { toWireRequest, toWireResponse } from "./wire-shapes.ts";

export interface AuthorizerFromPluginOptions extends Omit<ClientOptions, "plugin"> {
  /** The plugin's name, for errors. */
  readonly name: string;
  /** Gives up activating the plugin. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The authorizer behind a transport, as an engine has it: its methods reject where the plugin fails or gives no answer,
 * and whoever asks is to take that for a denial. The transport stays its maker's to close.
 *
 * @throws FAILED_PRECONDITION when what answers is not a plugin, UNIMPLEMENTED when it does not authorize.
 * @throws UNAVAILABLE or DEADLINE_EXCEEDED when nobody answers.
 */
export async function createAuthorizerFromPlugin(
  transport: Transport,
  options: AuthorizerFromPluginOptions,
): Promise<Authorizer> {
  const { name, signal, timeoutMs } = options;
  assertImplements(name, await activate(transport, name, { signal, timeoutMs }), authzProtocol);
  const client = createClient(authzProtocol, transport, { ...options, plugin: name });
  return {
    authorizeRequest: async (request, call) => toDecision(await client.authZReq(toWireRequest(request), call)),
    authorizeResponse: async (request, response, call) =>
      toDecision(await client.authZRes({ ...toWireRequest(request), ...toWireResponse(response) }, call)),
  };
}

function toDecision({ Allow, Msg = "" }: { readonly Allow: boolean; readonly Msg?: string | undefined }): Decision {
  return Allow ? { allow: true } : deny(Msg);
}
