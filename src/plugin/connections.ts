import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { Server as TlsServer } from "node:tls";

export interface Connections {
  /**
   * Tells each peer with its next answer that the connection closes, and closes it then; after `farewellMs` also those
   * that were idle all the while. Lets running calls finish. What is left after `timeoutMs` is destroyed, so that its
   * peer sees a broken call. Resolves with the number of those.
   */
  drain(timeoutMs: number): Promise<number>;
}

/** Follows the connections of a server from now on. Node's own list takes one that was never used for a busy one. */
export function followConnections(server: Server): Connections {
  const callsOn = new Map<Socket, Set<ServerResponse>>();
  const beneathTls = new Map<Socket, string>();
  let draining = false;

  const follow = (socket: Socket) => {
    callsOn.set(socket, new Set());
    socket.once("close", () => callsOn.delete(socket));
  };
  server.on(server instanceof TlsServer ? "secureConnection" : "connection", follow);
  if (server instanceof TlsServer) {
    server.on("connection", (socket: Socket) => {
      beneathTls.set(socket, peerOf(socket));
      socket.once("close", () => beneathTls.delete(socket));
    });
  }
  server.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
    const calls = callsOn.get(request.socket);
    calls?.add(response);
    if (draining) response.shouldKeepAlive = false;
    response.once("close", () => {
      calls?.delete(response);
      if (draining && calls?.size === 0) request.socket.destroySoon();
    });
  });

  return {
    async drain(timeoutMs) {
      draining = true;
      for (const calls of callsOn.values()) {
        for (const response of calls) response.shouldKeepAlive = false; // Go does not reuse such a connection
      }
      if (callsOn.size > 0) {
        await pause(Math.min(farewellMs, timeoutMs));
        await nextTurn(); // what has come meanwhile is read, however late the timer was
      }
      const closed = once(server, "close");
      server.close(); // Node closes idle connections with it
      const secured = new Set(Array.from(callsOn.keys(), peerOf));
      for (const [socket, peer] of beneathTls) if (!secured.has(peer)) socket.destroy();
      for (const [socket, calls] of callsOn) {
        if (calls.size === 0) socket.destroySoon();
      }
      let brokenOff = 0;
      const timer = setTimeout(() => {
        brokenOff = callsOn.size;
        for (const socket of callsOn.keys()) socket.destroy();
      }, timeoutMs);
      await closed;
      clearTimeout(timer);
      return brokenOff;
    },
  };
}

/**
 * A busy client may have written its next call to a connection that looks idle here. Longer than it takes such a call
 * to arrive, shorter than anybody notices.
 */
const farewellMs = 50;

/** What a connection and the one of TLS on it have in common: Node does not tell which is on which. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
