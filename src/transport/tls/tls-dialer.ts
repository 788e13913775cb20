import { X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from "node:tls";
import type { HostAndPort } from "../locations/address.ts";
import { createClientContext } from "./secure-context.ts";
import type { Handshake } from "./tls-failure.ts";
import type { TlsClientOptions } from "./tls.ts";

export interface TlsDialer {
  /** Opens a connection; its handshake and the check of who answers go on until "secureConnect". */
  dial(): TLSSocket;
  /** How far a connection of this dialer has come. */
  handshakeOf(socket: Socket): Handshake;
}

/**
 * Makes connections to one server. Each proves anew who answers: sessions are not resumed.
 * @throws INVALID_ARGUMENT when `tls` is of no use; `subject` begins the message.
 */
export function createTlsDialer({ host, port }: HostAndPort, tls: TlsClientOptions, subject: string): TlsDialer {
  const secureContext = createClientContext(tls, subject);
  const serverName = tls.serverName ?? host;
  const handshakes = new WeakMap<Socket, Handshake>();
  const showsCertificate = tls.cert !== undefined;
  const undone: Handshake = { isDone: false, serverName, showsCertificate, certificate: undefined };

  return {
    dial() {
      const socket = connect({
        host,
        port,
        secureContext,
        servername: isIP(serverName) === 0 ? serverName : "", // addresses may not be asked for: RFC 6066 section 3
        checkServerIdentity: (_asked, certificate) =>
          isForAddress(certificate, serverName) ? undefined : checkServerIdentity(serverName, certificate),
        rejectUnauthorized: tls.insecureSkipVerify !== true,
      });
      socket.once("connect", () => socket.setNoDelay(true));
      // Before Node checks the certificate: a connection that failed the check has none any more to tell about.
      socket.prependOnceListener("secure", () => {
        handshakes.set(socket, { ...undone, certificate: socket.getPeerCertificate(true) });
      });
      socket.once("secureConnect", () => handshakes.set(socket, { ...undone, isDone: true }));
      return socket;
    },
    handshakeOf: (socket) => handshakes.get(socket) ?? undone,
  };
}

/**
 * Node 22.23.3 finds no certificate to be for an IPv6 address: it asks `domainToASCII` first, which answers "" for one.
 */
function isForAddress({ raw }: PeerCertificate, name: string): boolean {
  return isIP(name) === 6 && !name.includes("%") && new X509Certificate(raw).checkIP(name) !== undefined;
}
