import { PluginNotFoundError, TransportError } from "../errors/index.ts";
import { pluginProtocol } from "../protocol/index.ts";
import { activate, type Logger } from "../transport/index.ts";
import type { ClientPolicy } from "./client-policy.ts";
import { type Connection, openConnection } from "./connection.ts";
import type { Discovery } from "./discovery/discovery.ts";
import type { FoundPlugin } from "./discovery/look-up/found-plugin.ts";
import { currentIdentity } from "./discovery/look-up/identity.ts";

/** Who answered an activation, and with what. */
export interface Activation {
  readonly found: FoundPlugin;
  readonly connection: Connection;
  readonly implements: readonly string[];
}

export interface ActivationsOptions {
  readonly name: string;
  readonly discovery: Discovery;
  readonly policy: ClientPolicy;
  readonly logger: Logger;
  /** Aborts with a TransportError (CANCELLED) when the registry is closed. */
  readonly closing: AbortSignal;
  /** Another program was found than last time. */
  onReplaced(): void;
  /** A program has been activated; not once more the same one, as far as can be told. */
  onActivated(): void;
}

/**
 * Finds and activates one plugin whenever that is needed: at first, and when another program may have taken its place,
 * because its files have changed or because its connection was lost.
 */
export interface Activations {
  /** The last one; whoever it was may be gone. */
  readonly last: Activation | undefined;
  /** The last one, where nothing tells that another program may have taken its place. Costs a `stat`. */
  ready(): Activation | undefined;
  /**
   * That of the program which answers now. Costs a `stat` where nothing has changed; else one activation, however many
   * callers wait. A failure is forgotten.
   * @throws whatever `find` does, and `activate` of the transport.
   */
  current(): Promise<Activation>;
  /**
   * As `current`, after looking at all of its files: costs some `stat`s more, and sees that a spec file has changed.
   * Whoever has just looked says what was `found`.
   */
  lookUp(found?: FoundPlugin): Promise<Activation>;
  /** The connection was lost: somebody else may be there now. */
  suspect(activation: Activation): void;
  /** Looks at its files only. @throws UNAVAILABLE when it was here, else as `Discovery.find`. */
  find(): Promise<FoundPlugin>;
}

export function createActivations(options: ActivationsOptions): Activations {
  const { name, discovery, logger, closing } = options;
  let seen: FoundPlugin | undefined;
  let last: Activation | undefined;
  let isSuspect = false;
  let renewing: Promise<Activation> | undefined;
  /** Whom `renewing` asks, once that is known. */
  let asked: { readonly found: FoundPlugin; readonly replaced: AbortController } | undefined;

  async function find(): Promise<FoundPlugin> {
    const found = await discovery.find(name).catch((error: unknown) => {
      throw seen !== undefined && error instanceof PluginNotFoundError ? toGoneError(name, error) : error;
    });
    notice(found);
    return found;
  }

  function notice(found: FoundPlugin): void {
    if (seen !== undefined && seen.identity !== found.identity) {
      isSuspect = true;
      options.onReplaced();
    }
    seen = found;
    if (asked !== undefined && asked.found.identity !== found.identity) asked.replaced.abort(toReplacedError(name));
  }

  async function renew(known: FoundPlugin | undefined): Promise<Activation> {
    const found = known ?? (await find());
    closing.throwIfAborted();
    const previous = last;
    const isSame = previous?.found.identity === found.identity;
    const connection = isSame ? previous.connection : closeWith(closing, openConnection(found, logger, onLost));
    const implemented = await askFound(found, connection).catch((error: unknown) => {
      if (!isSame) connection.retire();
      throw error;
    });
    last = { found, connection, implements: implemented };
    if (!isSame) previous?.connection.retire();
    logger.info({ plugin: name, address: connection.address, implements: last.implements }, "activated");
    if (!isSame || previous.implements.join() !== implemented.join()) options.onActivated();
    return last;
  }

  /** What the program implements. From here on a suspicion is about this one; one that fails is suspect itself. */
  async function askFound(found: FoundPlugin, connection: Connection): Promise<readonly string[]> {
    isSuspect = false;
    asked = { found, replaced: new AbortController() };
    try {
      return await ask(connection, asked.replaced.signal, options);
    } catch (error) {
      isSuspect = true;
      throw error;
    } finally {
      asked = undefined;
    }
  }

  /** Whoever is connected to next may be another: a program on TCP leaves no other trace, a socket has an inode. */
  function onLost(connection: Connection): void {
    if (last !== undefined && connection === last.connection && !("unix" in last.found.address)) isSuspect = true;
  }

  const ready = (): Activation | undefined =>
    last !== undefined && !isSuspect && currentIdentity(last.found) === last.found.identity ? last : undefined;

  /** Whoever has just looked says what was `found`; if somebody has looked since, that counts. */
  async function current(found?: FoundPlugin): Promise<Activation> {
    const known = ready();
    if (known !== undefined) return known;
    if (asked !== undefined && currentIdentity(asked.found) !== asked.found.identity) await find();
    await awaitReplaced();
    return (renewing ??= renew(found === seen ? found : undefined).finally(() => (renewing = undefined)));
  }

  /** Waits until a program that has been replaced is no longer being activated: nobody is to wait for its answer. */
  async function awaitReplaced(): Promise<void> {
    if (asked?.replaced.signal.aborted === true) await renewing?.catch(() => {});
  }

  return {
    get last() {
      return last;
    },
    find,
    ready,
    current: () => current(),
    async lookUp(known) {
      if (known !== undefined) notice(known);
      const found = known ?? (await find());
      await awaitReplaced();
      const joined = await renewing; // it may have looked before this one did
      if (joined?.found.identity === found.identity) return joined;
      if (last?.found.identity !== found.identity) isSuspect = true;
      return current(found);
    },
    suspect(activation) {
      if (activation === last) isSuspect = true;
    },
  };
}

/** What a program implements, unless it is `replaced` before it says so, or the registry closed. */
async function ask(
  connection: Connection,
  replaced: AbortSignal,
  { name, policy, closing }: ActivationsOptions,
): Promise<readonly string[]> {
  const { path } = pluginProtocol.methods.activate;
  try {
    const timeoutMs = policy.methodTimeoutsMs?.[path] ?? policy.timeoutMs;
    // When the registry is closed the connection is, and the call fails.
    const implemented = await activate(connection, name, { timeoutMs, signal: replaced });
    closing.throwIfAborted();
    replaced.throwIfAborted();
    return implemented;
  } catch (error) {
    closing.throwIfAborted();
    throw replaced.aborted ? replaced.reason : error;
  }
}

function toReplacedError(name: string): TransportError {
  const message = `plugin "${name}" was replaced while it was activated`;
  return new TransportError("UNAVAILABLE", message, { reachedPeer: false });
}

/** A plugin that was there may be restarting, as one that never was is not. */
function toGoneError(name: string, error: PluginNotFoundError): TransportError {
  const message = `plugin "${name}" was here and is gone: looked for ${error.pathsTried.join(", ")}`;
  return new TransportError("UNAVAILABLE", message, { reachedPeer: false, cause: error });
}

/** Closed with the registry, also when its program has been replaced and it only waits for its last calls. */
function closeWith(closing: AbortSignal, connection: Connection): Connection {
  const close = () => void connection.close();
  closing.addEventListener("abort", close, { once: true });
  connection.whenClosed(() => closing.removeEventListener("abort", close));
  return connection;
}
