import { finished, Readable } from "node:stream";
import { createHttpTransport, type Logger, type Transport } from "../transport/index.ts";
import type { FoundPlugin } from "./discovery/look-up/found-plugin.ts";

/** A transport to one program, which can be left to end by itself. */
export interface Connection extends Transport {
  /** No further calls come: closes when those under way have ended. */
  retire(): void;
  /** Calls back once it is closed. */
  whenClosed(callback: () => void): void;
}

/**
 * A connection to what was found; logs a warning where nobody checks who answers. `onLost` is called when the program,
 * or the time, has closed the last socket.
 */
export function openConnection(
  { address, tls }: FoundPlugin,
  logger: Logger,
  onLost: (connection: Connection) => void = () => {},
): Connection {
  const transport = createHttpTransport(address, { tls, logger, onDisconnected: () => onLost(connection) });
  let underWay = 0;
  let isRetired = false;
  const ended = () => {
    underWay--;
    if (isRetired && underWay === 0) void close();
  };
  const callbacks: (() => void)[] = [];
  const close = () => {
    for (const callback of callbacks.splice(0)) callback();
    return transport.close();
  };
  const connection: Connection = {
    address: transport.address,
    close,
    async send(wire) {
      underWay++;
      try {
        const reply = await transport.send(wire);
        if (reply.body instanceof Readable) finished(reply.body, { writable: false }, ended);
        else ended();
        return reply;
      } catch (error) {
        ended();
        throw error;
      }
    },
    retire() {
      isRetired = true;
      if (underWay === 0) void close();
    },
    whenClosed(callback) {
      callbacks.push(callback);
    },
  };
  return connection;
}
