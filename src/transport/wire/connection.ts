import type { Socket } from "node:net";
import type { Connection } from "../../protocol/index.ts";

const connections = new WeakMap<Socket, Connection>();

/** The connection of a socket, the same object each time. */
export function connectionOf(socket: Socket): Connection {
  let connection = connections.get(socket);
  if (connection === undefined) {
    connection = {
      get descriptor() {
        return descriptorOf(socket);
      },
    };
    connections.set(socket, connection);
  }
  return connection;
}

/**
 * Of a socket, TLS or not; `undefined` once it is closed. Node has no public name for it: source, Node v20
 * `lib/net.js`, `_handle`, and `src/stream_base.cc`, `StreamBase::GetFD`.
 */
export function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd === undefined || handle.fd < 0 ? undefined : handle.fd;
}
