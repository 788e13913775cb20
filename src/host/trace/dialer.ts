import { connect, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import {
  type Address,
  createTlsDialer,
  explainTlsFailure,
  formatAddress,
  type TlsClientOptions,
} from "../../transport/index.ts";

export interface Dialer {
  /** Opens a connection to the plugin; it may be written to before it is there. */
  dial(): DialledConnection;
}

export interface DialledConnection {
  readonly socket: Socket;
  /** Says why it broke, for people. */
  explain(error: Error): string;
}

/** @throws INVALID_ARGUMENT when `tls` is of no use. */
export function createDialer(target: Address | (() => Address), tls: TlsClientOptions | undefined): Dialer {
  if (typeof target === "function") return { dial: () => createDialer(target(), tls).dial() };
  const address = target;
  const name = formatAddress(address);
  const secure = "https" in address ? createTlsDialer(address.https, tls ?? {}, name) : undefined;
  return {
    dial() {
      const socket = secure === undefined ? dialInClear(address) : secure.dial();
      let connected = false;
      socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", () => (connected = true));
      return {
        socket,
        explain(error) {
          const distrust = secure && explainTlsFailure(error, secure.handshakeOf(socket));
          if (distrust !== undefined) return `plugin at ${name} ${distrust}`;
          if (connected) return `connection to the plugin broke: ${error.message}`;
          return `plugin at ${name} cannot be reached: ${error.message}`;
        },
      };
    },
  };
}

function dialInClear(address: Address): Socket {
  if ("unix" in address) return connect({ path: address.unix, allowHalfOpen: true });
  const place = "tcp" in address ? address.tcp : address.https;
  return connect({ ...place, allowHalfOpen: true, noDelay: true, keepAlive: true });
}
