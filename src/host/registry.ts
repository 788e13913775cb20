import type { Client, Protocol } from "../protocol/index.ts";
import type { Logger, Transport } from "../transport/index.ts";
import type { ClientPolicy } from "./client-policy.ts";
import type { Discovery } from "./discovery/discovery.ts";

/**
 * A plugin that has been activated. It stays of use when the plugin is restarted, replaced or moved: before a call that
 * would meet another program, that one is activated first.
 */
export interface ActivePlugin<P extends Protocol = Protocol> {
  readonly name: string;
  /** Where it answered last: "unix:///run/docker/plugins/cleat.sock". */
  readonly address: string;
  /** What its manifest lists. */
  readonly implements: readonly string[];
  readonly client: Client<P>;
  /** For adapters that make clients of their own: retries, circuit breaker and activation are in it. Not to be closed. */
  readonly transport: Transport;
}

export interface RegistryOptions {
  /** Default `createDiscovery(pluginLocations())`. */
  readonly discovery?: Discovery;
  /** For every plugin, or by name. */
  readonly policy?: ClientPolicy | ((plugin: string) => ClientPolicy);
  readonly logger?: Logger;
}

export interface GetOptions {
  /** How long to wait for a plugin that is not there or does not answer yet; default 0. */
  readonly waitMs?: number | undefined;
  /** Gives up waiting; what others wait for goes on. */
  readonly signal?: AbortSignal | undefined;
}

export interface GetAllOptions {
  /** One deadline for all; default 10 s. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Partial results: one failed plugin takes nothing from the others. */
export interface AllPlugins<P extends Protocol> {
  readonly plugins: readonly ActivePlugin<P>[];
  /** Those that failed, late ones included; not those that implement something else. */
  readonly failures: readonly { readonly name: string; readonly error: Error }[];
}

/** The plugins of a machine, each activated at most once. A value: make as many as you like. */
export interface Registry extends AsyncDisposable {
  readonly discovery: Discovery;

  /**
   * The plugin `name`, activated, however many callers wait for that.
   * @throws PluginNotFoundError (NOT_FOUND) when it was never seen; the message lists the paths tried.
   * @throws UNAVAILABLE or DEADLINE_EXCEEDED when it was here, or its files are, but it does not answer.
   * @throws FAILED_PRECONDITION when what answers is no plugin.
   * @throws UNIMPLEMENTED when it implements something else; the message lists what.
   * @throws INVALID_ARGUMENT when `name` may name no plugin, or its spec file is broken.
   */
  get<P extends Protocol>(name: string, protocol: P, options?: GetOptions): Promise<ActivePlugin<P>>;

  /** Activates every plugin there is, side by side, and returns those that implement `protocol`, by name. Never rejects for a plugin's sake. */
  getAll<P extends Protocol>(protocol: P, options?: GetAllOptions): Promise<AllPlugins<P>>;

  /**
   * Calls back for every plugin that implements `protocol`: those that are active now, and each that is activated later,
   * once more when another program has taken its place. What the callback throws is logged. Returns how to stop that.
   */
  handle<P extends Protocol>(protocol: P, callback: (plugin: ActivePlugin<P>) => void): () => void;

  /** Forgets every plugin and drops its connections. May be called twice. */
  close(): Promise<void>;
}

export function createRegistry(options: RegistryOptions = {}): Registry {
  throw new Error(`not written yet: ${String(options.logger)}`);
}
