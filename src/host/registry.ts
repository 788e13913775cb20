import { setMaxListeners } from "node:events";
import { CleatError } from "../errors/index.ts";
import { announcedName, assertPluginName, type Client, type Protocol } from "../protocol/index.ts";
import {
  assertImplements,
  createClient,
  type JoinedSignal,
  joinSignals,
  type Logger,
  pluginLocations,
  silentLogger,
  type Transport,
} from "../transport/index.ts";
import { activateAll } from "./activate-all.ts";
import type { ClientPolicy } from "./client-policy.ts";
import { createDiscovery, type Discovery } from "./discovery/discovery.ts";
import type { PluginChange } from "./discovery/look-up/found-plugin.ts";
import { givenUp } from "./give-up.ts";
import { createHandlers } from "./handlers.ts";
import { createLink, type Link } from "./link.ts";
import { waitForPlugin } from "./wait-for-plugin.ts";

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
  /**
   * For adapters that make clients of their own: activation, retries and circuit breaker are in it; the deadlines of
   * the policy are `client`'s. Not to be closed.
   */
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
  /** How long to wait, in milliseconds, for a plugin that is not there or does not answer yet; default 0. */
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
   * @throws FAILED_PRECONDITION when what answers is not a plugin.
   * @throws UNIMPLEMENTED when it implements something else; the message lists what.
   * @throws INVALID_ARGUMENT when `name` may name no plugin, or its spec file is broken.
   * @throws UNAUTHENTICATED when it does not prove who it is, PERMISSION_DENIED when its socket or files may not be
   * used, or not be looked at.
   * @throws CANCELLED when `signal` aborts, or the registry is closed.
   */
  get<P extends Protocol>(name: string, protocol: P, options?: GetOptions): Promise<ActivePlugin<P>>;

  /**
   * Activates every plugin there is, side by side, and returns those that implement `protocol`, by name. Never rejects
   * for a plugin's sake.
   * @throws DEADLINE_EXCEEDED when the folders cannot be read in time.
   * @throws CANCELLED when `signal` aborts, or the registry is closed.
   */
  getAll<P extends Protocol>(protocol: P, options?: GetAllOptions): Promise<AllPlugins<P>>;

  /**
   * Calls back for every plugin that implements `protocol`: those that are active now, and each that is activated
   * later, once more when another program has taken its place. What the callback throws is logged. Returns how to stop
   * that.
   */
  handle<P extends Protocol>(protocol: P, callback: (plugin: ActivePlugin<P>) => void): () => void;

  /** Plugins as they appear, change and disappear: `discovery.watch`, ended by `close` too. */
  watch(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<PluginChange>;

  /** Forgets every plugin and drops its connections. May be called twice. */
  close(): Promise<void>;
}

/** The plugins found by `discovery`. Nobody is called before somebody is asked for. */
export function createRegistry(options: RegistryOptions = {}): Registry {
  const { policy = {}, logger = silentLogger } = options;
  const { discovery = createDiscovery(pluginLocations(), { logger }) } = options;
  const links = new Map<string, Link>();
  const handlers = createHandlers(logger);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal); // every caller listens
  const policyOf = (name: string) => (typeof policy === "function" ? policy(name) : policy);

  function linkTo(name: string): Link {
    closing.signal.throwIfAborted();
    const known = links.get(name);
    if (known !== undefined) return known;
    const onActivated = () => handlers.activated(link);
    const link: Link = createLink({ name, discovery, policy: policyOf(name), logger, onActivated });
    links.set(name, link);
    return link;
  }

  function toPlugin<P extends Protocol>(link: Link, protocol: P): ActivePlugin<P> {
    return {
      name: link.name,
      get address() {
        return link.transport.address;
      },
      get implements() {
        return link.active?.implements ?? [];
      },
      client: createClient(protocol, link.transport, { ...policyOf(link.name), plugin: link.name }),
      transport: link.transport,
    };
  }

  async function close(): Promise<void> {
    closing.abort(new CleatError("CANCELLED", "registry is closed"));
    for (const link of links.values()) link.close();
    links.clear();
  }

  return {
    discovery,
    async get(name, protocol, { waitMs = 0, signal } = {}) {
      assertPluginName(name);
      closing.signal.throwIfAborted();
      // Of a name that nobody has, and nobody waits for, nothing is kept.
      if (!(waitMs > 0) && !links.has(name)) await discovery.find(name);
      const link = linkTo(name);
      using stop = joinSignals(signal, closing.signal);
      try {
        const { implements: implemented } = await (waitMs > 0
          ? waitForPlugin(link, discovery, waitMs, stop.signal)
          : link.activate(stop.signal));
        assertImplements(name, implemented, protocol);
        return toPlugin(link, protocol);
      } catch (error) {
        throw signal?.aborted === true ? givenUp(`wait for plugin "${name}"`, signal) : error;
      }
    },
    async getAll(protocol, { timeoutMs = 10_000, signal } = {}) {
      closing.signal.throwIfAborted();
      using stop = joinSignals(signal, closing.signal);
      const all = await activateAll(discovery, linkTo, timeoutMs, stop.signal);
      const fitting = all.links.filter(({ active }) => active?.implements.includes(announcedName(protocol)));
      return { plugins: fitting.map((link) => toPlugin(link, protocol)), failures: all.failures };
    },
    handle: (protocol, callback) =>
      handlers.add({ protocol, call: (link) => callback(toPlugin(link, protocol)) }, links.values()),
    watch: ({ signal } = {}) => ({
      [Symbol.asyncIterator]: () => watchUntil(discovery, joinSignals(signal, closing.signal)),
    }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The changes until `stop`, which is released as soon as nobody looks any more. */
function watchUntil(discovery: Discovery, stop: JoinedSignal): AsyncIterator<PluginChange> {
  const changes = discovery.watch({ signal: stop.signal })[Symbol.asyncIterator]();
  return {
    async next() {
      const result = await changes.next().catch(releasing(stop));
      if (result.done === true) stop.release();
      return result;
    },
    async return() {
      stop.release();
      return (await changes.return?.()) ?? { done: true, value: undefined };
    },
  };
}

function releasing(stop: JoinedSignal): (error: unknown) => never {
  return (error) => {
    stop.release();
    throw error;
  };
}
