import { Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import { pipeline, Readable } from "node:stream";
import { CleatError, TransportError } from "../../errors/index.ts";
import { pluginMediaType, streamMediaType } from "../../protocol/index.ts";
import { type Address, formatAddress } from "../locations/address.ts";
import { isGivenUp, whenGivenUp } from "../wire/giving-up.ts";
import type { Logger } from "../wire/logger.ts";
import { createTlsDialer, type TlsDialer } from "../tls/tls-dialer.ts";
import type { TlsClientOptions } from "../tls/tls.ts";
import type { Transport, WireReply, WireRequest } from "../wire/wire.ts";
import { AbortError, toGivenUp, toTransportError } from "./http-failure.ts";
import { toLatin1 } from "./latin1.ts";
import { collectReply } from "./reply-body.ts";
import { createSmallCalls, isSmallCall } from "./small-calls.ts";

export interface HttpTransportOptions {
  /** Only for `https` addresses; default verified by the authorities that Node comes with. */
  readonly tls?: TlsClientOptions | undefined;
  /** Gets one warning where nobody checks who answers. */
  readonly logger?: Logger;
  /** Called when the last open connection has gone, whoever closed it: the next one may lead to another program. */
  readonly onDisconnected?: () => void;
}

/**
 * Calls a plugin over HTTP. Connections are kept and reused; idle ones do not keep the process alive. A peer that does
 * not prove who it is on an `https` address fails the call as UNAUTHENTICATED; where that is seen before the end of the
 * handshake, nothing of the call was sent. (A server of TLS 1.3 may refuse a client's certificate only thereafter.)
 * @throws INVALID_ARGUMENT at once, when `tls` is of no use, or given for an address that is called in plaintext.
 */
export function createHttpTransport(address: Address, options: HttpTransportOptions = {}): Transport {
  const { tls, logger, onDisconnected = () => {} } = options;
  const name = formatAddress(address);
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 32 });
  let dialer: TlsDialer | undefined;
  if ("https" in address) {
    dialer = createTlsDialer(address.https, tls ?? {}, name);
    agent.createConnection = dialer.dial;
    if (tls?.insecureSkipVerify === true)
      logger?.warn({ address: name }, "TLS is not verified: whoever answers there is trusted");
  } else if (tls !== undefined) {
    throw new CleatError("INVALID_ARGUMENT", `${name} is called in plaintext, so TLS options are of no use`);
  }
  const target = targetOf(address);
  const sockets = new Set<Socket>();
  const follow = (socket: Socket) => {
    if (sockets.has(socket)) return;
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0) onDisconnected();
    });
  };
  const open = (wire: WireRequest) => httpRequest({ ...target.options, ...requestLine(wire, target.host), agent });
  const smallCalls = "unix" in address && createSmallCalls({ socketPath: address.unix, address: name, follow });
  return {
    address: name,
    send(wire) {
      if (smallCalls && isSmallCall(wire)) return smallCalls.send(wire, headOf(requestLine(wire, target.host)));
      return send(wire, { address: name, dialer, open, follow });
    },
    async close() {
      agent.destroy();
      if (smallCalls) smallCalls.close();
    },
  };
}

/** Where to connect to, and what the peer is called there. */
function targetOf(address: Address) {
  if ("unix" in address) return { options: { socketPath: address.unix }, host: "plugin.moby.localhost" };
  const { host, port } = "tcp" in address ? address.tcp : address.https;
  const defaultPort = "tcp" in address ? 80 : 443;
  const named = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return { options: { host, port }, host: port === defaultPort ? named : `${named}:${port}` };
}

/** Headers as a list, which Node writes as it is: it looks each of an object's up, and keeps it in a map. */
function requestLine({ path, query, body, mediaType }: WireRequest, host: string) {
  const search = Object.keys(query).length === 0 ? "" : new URLSearchParams(query).toString();
  const sized = body instanceof Uint8Array;
  const headers = ["Accept", pluginMediaType, "Content-Type", sized ? pluginMediaType : (mediaType ?? streamMediaType)];
  if (sized) headers.push("Content-Length", String(body.byteLength));
  headers.push("Host", host);
  return { method: "POST", path: search === "" ? path : `${path}?${search}`, headers };
}

/** As Node writes it. */
function headOf({ method, path, headers }: ReturnType<typeof requestLine>): string {
  let head = `${method} ${path} HTTP/1.1\r\n`;
  for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return `${head}Connection: keep-alive\r\n\r\n`;
}

interface Sending {
  readonly address: string;
  readonly dialer: TlsDialer | undefined;
  open(wire: WireRequest): ClientRequest;
  follow(socket: Socket): void;
}

function send(wire: WireRequest, { address, dialer, open, follow }: Sending): Promise<WireReply> {
  return new Promise((resolve, reject) => {
    let connected = false;
    let answered = false;
    const request = open(wire);
    const forget = whenGivenUp(wire, () => request.destroy(new AbortError()));
    request.on("error", (error) => {
      if (answered) return;
      const { socket, reusedSocket } = request;
      const handshake = socket === null ? undefined : dialer?.handshakeOf(socket);
      reject(toTransportError(error, { address, connected, reusedSocket, handshake }));
    });
    request.once("close", () => {
      forget();
      if (answered) return;
      // An answer of 101 ends a request with neither an error nor a response.
      const message = `connection to ${address} broke: no answer to the call`;
      reject(new TransportError("UNAVAILABLE", message, { reachedPeer: connected }));
    });
    request.once("socket", (socket) => {
      follow(socket);
      whenReady(socket, dialer, () => {
        connected = true;
        sendBody(request, wire.body);
      });
    });
    request.once("response", (response: IncomingMessage) => {
      answered = true;
      // Some peers answer before they have read everything; what they do not want is not sent, and its source is let
      // go.
      response.once("end", () => {
        if (!request.writableFinished) request.destroy();
      });
      const status = response.statusCode ?? 0;
      if (wire.maxReplyBytes === undefined) resolve({ status, body: response });
      else {
        const fail = (error: TransportError) => reject(isGivenUp(wire) ? toGivenUp(address, true, error) : error);
        const maxBytes = status === 200 ? wire.maxReplyBytes : (wire.maxFailureBytes ?? wire.maxReplyBytes);
        collectReply(response, maxBytes, address, (body) => resolve({ status, body }), fail);
      }
    });
  });
}

/** When the peer is there and, with TLS, has proved who it is: no byte of a call is sent before. */
function whenReady(socket: Socket, dialer: TlsDialer | undefined, begin: () => void): void {
  if (dialer !== undefined && !dialer.handshakeOf(socket).isDone) socket.once("secureConnect", begin);
  else if (socket.connecting) socket.once("connect", begin);
  else begin();
}

function sendBody(request: ClientRequest, body: WireRequest["body"]): void {
  if (body instanceof Uint8Array) request.end(toLatin1(body), "latin1");
  // The pipeline destroys the request when the source fails, so that the peer sees a broken body and never a complete
  // one. That failure reaches the caller as the request's "error".
  else pipeline(Readable.from(body), request, () => {});
}
