import { createServer, type Server, type Socket } from "node:net";
import type { Address, TlsClientOptions } from "../../transport/index.ts";
import { createConnectionRecorder } from "./connection-recorder.ts";
import { createDialer } from "./dialer.ts";
import type { Exchange } from "./exchange.ts";
import { type Relay, relay } from "./relay.ts";

export interface RecordingProxyOptions {
  /**
   * Where the plugin listens, or what tells that for each connection of a plugin that is called in plaintext. It need
   * not be there yet.
   */
  readonly target: Address | (() => Address);
  /** Of `https` targets. */
  readonly tls?: TlsClientOptions | undefined;
  /** Called once for each call, when it has ended, with what was said of its caller. Must not throw. */
  readonly onExchange: (exchange: Exchange, caller: string | undefined) => void;
  /** Asked of each connection when it is made, who calls on it. Must not throw. */
  readonly describeCaller?: ((engine: Socket) => string | undefined) | undefined;
  /** How much of each body is recorded; default 64 KiB. */
  readonly maxRecordedBytes?: number | undefined;
}

export interface RecordingProxy {
  /** The caller makes it listen. */
  readonly server: Server;
  /**
   * Accepts no more, lets running calls finish and breaks off those that have not after `drainTimeoutMs`, default 10 s.
   * Resolves with the number of those when every connection is closed. May be called twice; both wait for the end.
   */
  close(drainTimeoutMs?: number): Promise<number>;
}

/**
 * Stands between an engine and a plugin and records their calls, of any plugin API over HTTP/1.1. The bytes are passed
 * on as they are, one connection for each of the engine's, and only read on the way, so that both behave as they would
 * without it: headers, framing, keep-alive and breaking off are theirs. It has no timeouts and closes no connection
 * first. Of a body at most `maxRecordedBytes` are held; a slow reader holds the sender back.
 * @throws INVALID_ARGUMENT when `tls` is of no use.
 */
export function createRecordingProxy(options: RecordingProxyOptions): RecordingProxy {
  const { target, tls, onExchange, describeCaller, maxRecordedBytes = 64 * 1024 } = options;
  const dialer = createDialer(target, tls);
  const relays = new Map<Relay, Promise<void>>();

  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (engine: Socket) => {
    const caller = describeCaller?.(engine);
    const recorder = createConnectionRecorder(maxRecordedBytes, (exchange) => onExchange(exchange, caller));
    const relayed = relay(engine, dialer, recorder);
    const ended = new Promise<void>((resolve) => engine.once("close", () => resolve()));
    relays.set(
      relayed,
      ended.then(() => void relays.delete(relayed)),
    );
  });

  async function shutDown(drainTimeoutMs: number): Promise<number> {
    let brokenOff = 0;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const relayed of relays.keys()) relayed.drain();
    const timer = setTimeout(() => {
      brokenOff = relays.size;
      for (const relayed of relays.keys()) relayed.destroy();
    }, drainTimeoutMs);
    await closed; // a server counts a connection as closed before that has told so
    await Promise.all(relays.values());
    clearTimeout(timer);
    return brokenOff;
  }

  let closing: Promise<number> | undefined;
  return { server, close: (drainTimeoutMs = 10_000) => (closing ??= shutDown(drainTimeoutMs)) };
}
