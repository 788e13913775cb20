import { setMaxListeners } from "node:events";
import { CleatError, toCleatError } from "../../errors/index.ts";
import type { Logger } from "../../transport/index.ts";
import { createVolumeDriverFromPlugin, type VolumeDriver } from "../../volume/index.ts";
import type { ClientPolicy } from "../client-policy.ts";
import { type Connection, openConnection } from "../connection.ts";
import type { FoundPlugin } from "../discovery/look-up/found-plugin.ts";
import { findSocket } from "./find-socket.ts";

export interface ValidationsOptions {
  readonly maxReplyBytes: ClientPolicy["maxReplyBytes"];
  readonly logger: Logger;
}

/** Who waits for a validation. */
export interface Waiting {
  /** How long a validation may take that begins for this one. */
  readonly timeoutMs: number;
  /** Aborts when this one waits no more. */
  readonly signal: AbortSignal;
  /** The plugin was validated before: a socket that is not there is then one that is gone. */
  readonly wasOpen: boolean;
}

/** The volume plugins that have answered as such, by name. */
export interface Validations {
  /**
   * The driver at `socketPath`. Costs a stat where the socket is the one that was validated; otherwise one activation,
   * however many wait. A failure is forgotten, and with it what was known of the name.
   */
  driverAt(name: string, socketPath: string, waiting: Waiting): Promise<VolumeDriver>;
  /** Aborts when the plugins are closed. */
  readonly closed: AbortSignal;
  /** Drops every connection, and fails what is under way. */
  close(): void;
}

interface Validated {
  readonly found: FoundPlugin;
  readonly connection: Connection;
  readonly driver: VolumeDriver;
}

export function createValidations({ maxReplyBytes, logger }: ValidationsOptions): Validations {
  const known = new Map<string, Validated>();
  const underWay = new Map<string, Promise<VolumeDriver>>();
  const closing = new AbortController();
  setMaxListeners(0, closing.signal); // one for each call under way

  async function look(name: string, socketPath: string, wasOpen: boolean): Promise<FoundPlugin> {
    try {
      return await findSocket(name, socketPath);
    } catch (error) {
      const { code, message } = toCleatError(error);
      const isGone = code === "NOT_FOUND" || code === "INVALID_ARGUMENT";
      if (isGone) forget(name, socketPath);
      if (!isGone || !wasOpen) throw error;
      throw new CleatError("UNAVAILABLE", `no longer available (shut down?): ${message}`, { cause: error });
    }
  }

  async function validate(found: FoundPlugin, timeoutMs: number): Promise<VolumeDriver> {
    const { name, path } = found;
    const connection = openConnection(found, logger);
    try {
      const options = { name, logger, timeoutMs, maxReplyBytes, signal: closing.signal };
      const driver = await createVolumeDriverFromPlugin(connection, options);
      closing.signal.throwIfAborted();
      assertPath(name, path); // another path may have been faster
      known.get(name)?.connection.retire();
      known.set(name, { found, connection, driver });
      logger.info({ plugin: name, address: connection.address }, "volume plugin validated");
      return driver;
    } catch (error) {
      await connection.close();
      forget(name, path);
      throw error;
    }
  }

  function assertPath(name: string, socketPath: string): void {
    const path = known.get(name)?.found.path;
    if (path === undefined || path === socketPath) return;
    throw new CleatError("ALREADY_EXISTS", `known at "${path}" already, which is not "${socketPath}"`);
  }

  function forget(name: string, socketPath: string): void {
    const validated = known.get(name);
    if (validated?.found.path !== socketPath) return;
    known.delete(name);
    validated.connection.retire();
  }

  return {
    async driverAt(name, socketPath, { timeoutMs, signal, wasOpen }) {
      for (;;) {
        closing.signal.throwIfAborted();
        assertPath(name, socketPath);
        const found = await look(name, socketPath, wasOpen);
        signal.throwIfAborted();
        const validated = known.get(name);
        if (validated?.found.identity === found.identity) return validated.driver;

        const key = `${name} ${found.identity}`;
        const joined = underWay.get(key);
        const validation = joined ?? validate(found, timeoutMs).finally(() => underWay.delete(key));
        underWay.set(key, validation);
        try {
          return await validation;
        } catch (error) {
          // The deadline of another, who had less patience.
          const isOwn = joined === undefined || toCleatError(error).code !== "DEADLINE_EXCEEDED";
          if (isOwn || signal.aborted) throw error;
        }
      }
    },
    closed: closing.signal,
    close() {
      if (closing.signal.aborted) return;
      closing.abort(new CleatError("CANCELLED", "volume plugins are closed"));
      for (const { connection } of known.values()) void connection.close();
      known.clear();
    },
  };
}
