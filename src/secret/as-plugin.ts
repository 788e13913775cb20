import { isUint8Array } from "node:util/types";
import { CleatError, quoteText } from "../errors/index.ts";
import { secretProviderProtocol } from "../protocol/index.ts";
import { answerOf, assertMethods, implement, type Service, toCallOptions } from "../transport/index.ts";
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
      const asked = provider.getSecret(request.SecretName, fromWireRequest(request), toCallOptions(call));
      const subject = `secret provider "${provider.name}"`;
      const secret = await answerOf(asked, subject, "getSecret");
      assertValue(secret.value, `${subject}: the value of secret ${quoteText(request.SecretName)}`);
      return { Value: Buffer.from(secret.value), DoNotReuse: secret.doNotReuse ?? false };
    },
  });
  return { service, close: () => provider.close() };
}

/** Source: moby v20.10.24 `vendor/github.com/docker/swarmkit/api/validation/secrets.go`, `MaxSecretSize`. */
const maxSecretBytes = 500 * 1024;

/** @throws INTERNAL for a value that a swarm refuses, which says no more then than that the secret is not there. */
function assertValue(value: unknown, subject: string): void {
  const refuse = (problem: string) => new CleatError("INTERNAL", `${subject} ${problem}`);
  if (!isUint8Array(value)) throw refuse(`is ${kindOf(value)}, and no bytes`);
  if (value.length === 0) throw refuse("is empty, which a swarm refuses");
  if (value.length < maxSecretBytes) return;
  throw refuse(`has ${value.length} bytes, and a swarm takes less than ${maxSecretBytes}`);
}

/** Anything that is said of it may be the secret itself. */
function kindOf(value: unknown): string {
  if (typeof value === "object" && value !== null) return "an object";
  return value === undefined || value === null ? String(value) : `a ${typeof value}`;
}
