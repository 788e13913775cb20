import { PluginNotFoundError, TransportError } from "../errors/index.ts";
import { pluginProtocol } from "../protocol/index.ts";
import { activate, type Logger } from "../transport/index.ts";
import type { ClientPolicy } from "./client-policy.ts";
import { type Connection, openConnection } from "./connection.ts";
import type { Discovery } from "./discovery/discovery.ts";
import type { FoundPlugin } from "./discovery/found-plugin.ts";
import { currentIdentity } from "./discovery/identity.ts";

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
  /** Another program was found than last time. */
  onReplaced(): void;
  /** A program has been activated. */
  onActivated(): void;
}

/**
 * Finds and activates one plugin whenever that is needed: at first, and when another program may have taken its place,
 * because its files have changed or because its connection was lost.
 */
export interface Activations {
  /** The last one; whoever it was may be gone. */
  readonly last: Activation | undefined;
  /**
   * That of the program which answers now. Costs a `stat` where nothing has changed; else one activation, however many
   * callers wait. A failure is forgotten.
   */
  current(): Promise<Activation>;
  /** As `current`, after looking at all of its files: costs some `stat`s more, and sees that a spec file has changed. */
  lookUp(): Promise<Activation>;
  /** The connection was lost: somebody else may be there now. */
  suspect(activation: Activation): void;
  /** Looks at its files only. @throws UNAVAILABLE when it was here. */
  find(): Promise<FoundPlugin>;
  close(): void;
}

export function createActivations(options: ActivationsOptions): Activations {
  const { name, discovery, policy, logger } = options;
  const method = pluginProtocol.methods.activate;
  const closing = new AbortController();
  let seen: FoundPlugin | undefined;
  let last: Activation | undefined;
  let isSuspect = false;
  let renewing: Promise<Activation> | undefined;

  async function find(): Promise<FoundPlugin> {
    let found;
    try {
      found = await discovery.find(name);
    } catch (error) {
      if (seen === undefined || !(error instanceof PluginNotFoundError)) throw error;
      const message = `plugin "${name}" was here and is gone: looked for ${error.pathsTried.join(", ")}`;
      throw new TransportError("UNAVAILABLE", message, { reachedPeer: false, cause: error });
    }
    if (seen !== undefined && seen.identity !== found.identity) options.onReplaced();
    seen = found;
    return found;
  }

  async function renew(): Promise<Activation> {
    const found = await find();
    closing.signal.throwIfAborted();
    const previous = last;
    const isSame = previous?.found.identity === found.identity;
    const connection = previous !== undefined && isSame ? previous.connection : openConnection(found, logger, onLost);
    try {
      const timeoutMs = policy.methodTimeoutsMs?.[method.path] ?? policy.timeoutMs;
      const implemented = await activate(connection, name, { timeoutMs, signal: closing.signal });
      last = { found, connection, implements: implemented };
    } catch (error) {
      if (!isSame) connection.retire();
      throw error;
    }
    isSuspect = false;
    if (!isSame) previous?.connection.retire();
    logger.info({ plugin: name, address: connection.address, implements: last.implements }, "activated");
    options.onActivated();
    return last;
  }

  /** Whoever is connected to next may be another: a program on TCP leaves no other trace. */
  function onLost(connection: Connection): void {
    if (connection === last?.connection) isSuspect = true;
  }

  async function current(): Promise<Activation> {
    if (last !== undefined && !isSuspect && currentIdentity(last.found) === last.found.identity) return last;
    return (renewing ??= renew().finally(() => (renewing = undefined)));
  }

  return {
    get last() {
      return last;
    },
    find,
    current,
    async lookUp() {
      const found = await find();
      if (last?.found.identity !== found.identity) isSuspect = true;
      return current();
    },
    suspect(activation) {
      if (activation === last) isSuspect = true;
    },
    close() {
      closing.abort(
        new TransportError("CANCELLED", `plugin "${name}": its registry was closed`, { reachedPeer: true }),
      );
      void last?.connection.close();
    },
  };
}
