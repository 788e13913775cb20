import { type Client, secretProviderProtocol } from "../protocol/index.ts";
import { type ActivateOptions, activateClient, type Transport } from "../transport/index.ts";
import type { SecretProvider } from "./driver.ts";
import { toWireRequest } from "./wire-shapes.ts";

/**
 * A secret provider behind a client: one like any other. What the plugin answers as failure is a `RemoteError`, with
 * its code where the plugin is Cleat's. A value that the plugin leaves out is empty, as it is to Docker. `close` sends
 * nothing.
 */
export function createRemoteSecretProvider(
  client: Client<typeof secretProviderProtocol>,
  { name }: { readonly name: string },
): SecretProvider {
  return {
    name,
    async getSecret(secretName, request, call) {
      const { Value, DoNotReuse } = await client.getSecret(toWireRequest(secretName, request), call);
      return { value: Value ?? new Uint8Array(), doNotReuse: DoNotReuse };
    },
    async close() {},
  };
}

/**
 * The secret provider behind a transport, which is activated first and stays its maker's to close.
 *
 * @throws FAILED_PRECONDITION when what answers is not a plugin, UNIMPLEMENTED when it is not a secret provider.
 * @throws UNAVAILABLE or DEADLINE_EXCEEDED when nobody answers.
 */
export async function createSecretProviderFromPlugin(
  transport: Transport,
  options: ActivateOptions,
): Promise<SecretProvider> {
  return createRemoteSecretProvider(await activateClient(secretProviderProtocol, transport, options), options);
}
