/** Secret providers: the contract (`driver.ts` is the manual), and both ends of Docker's protocol for them. */
export type * from "./driver.ts";
export {
  createSecretProviderPlugin,
  type SecretProviderPlugin,
  type SecretProviderPluginOptions,
} from "./as-plugin.ts";
export { createRemoteSecretProvider, createSecretProviderFromPlugin } from "./from-plugin.ts";
