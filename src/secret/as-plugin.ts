import { secretProviderProtocol } from "../protocol/index.ts";
import { assertMethods, implement, type Service, toCallOptions } from "../transport/index.ts";
import type { SecretProvider } from "./driver.ts";
import { fromWireRequest } from "./wire-shapes.ts";

export interface SecretProviderPluginOptions {
  readonly provider: SecretProvider;
}

/** A secret provider, ready for `serve`. */
export interface SecretProviderPlugin {
  readonly service: Service;
  /** Closes the provider. May be called twice. */
  close(): Promise<void>;
}

/** Serves any secret provider over Docker's protocol. @throws INVALID_ARGUMENT when `provider` lacks a method. */
export function createSecretProviderPlugin(options: SecretProviderPluginOptions): SecretProviderPlugin {
  assertMethods(
    (options as Partial<typeof options> | undefined)?.provider,
    ["getSecret", "close"],
    "createSecretProviderPlugin: provider",
  );
  const { provider } = options;
  const service = implement(secretProviderProtocol, {
    getSecret: async (request, call) => {
      const secret = await provider.getSecret(request.SecretName, fromWireRequest(request), toCallOptions(call));
      return { Value: Buffer.from(secret.value), DoNotReuse: secret.doNotReuse ?? false };
    },
  });
  return { service, close: () => provider.close() };
}
