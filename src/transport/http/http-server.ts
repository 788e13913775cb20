import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { finished, pipeline, Readable } from "node:stream";
import { CleatError, toCleatError } from "../../errors/index.ts";
import { pluginMediaType, streamMediaType } from "../../protocol/index.ts";
import { toReply } from "../handler/handler.ts";
import { assertServerOptions, oldestVersion } from "../tls/secure-context.ts";
import type { TlsServerOptions } from "../tls/tls.ts";
import type { BodyStream, Handler, WireReply } from "../wire/wire.ts";
import { answerFromMaker, takesFromMaker } from "./answer-sink.ts";
import { refuseMalformed } from "./malformed-request.ts";
import { toLatin1 } from "./latin1.ts";
import { IncomingCall } from "./incoming-call.ts";
import { createRequestBody } from "./request-body.ts";

export interface HttpServerOptions {
  /** Serves HTTPS, and nobody in plaintext. */
  readonly tls?: TlsServerOptions | undefined;
}

/**
 * Serves a handler over HTTP/1.1; the caller makes it listen. Whatever `Host` and `Content-Type` engines send, or
 * none, is accepted.
 *
 * It never closes a connection first, because an engine that reuses one at that moment loses its call, and Docker
 * then sends the rest of a consumed body and takes the empty layer for success:
 * - idle ones stay open for good (Node closes after 5 s);
 * - an upload may take any time (Node: 300 s);
 * - a connection may be silent before its first request (Node: 60 s): Go opens spare ones and keeps them for later;
 * - a failure is answered while the rest of the body is still read, to its end, however long a slow peer takes for it:
 *   many read no answer before they have sent everything.
 *
 * With TLS, a peer that speaks something else, shows no certificate that `clientCa` vouches for, or does not end its
 * handshake in time is hung up on; no handler hears of it.
 * @throws INVALID_ARGUMENT when a part of `tls` is of no use.
 */
export function createHttpServer(handler: Handler, { tls }: HttpServerOptions = {}): Server {
  const server = tls === undefined ? createServer(httpOptions) : createHttpsServer(tls);
  server.on("request", (request, response) => void answer(handler, request, response));
  server.on("clientError", refuseMalformed);
  return server;
}

const httpOptions: ServerOptions = {
  requireHostHeader: false,
  keepAliveTimeout: 0,
  requestTimeout: 0,
  headersTimeout: 0,
  maxHeaderSize: 16 * 1024,
  // Of what waits to be read, or to be taken by a peer: fewer and larger pieces than Node's 16 KiB.
  highWaterMark: 128 * 1024,
  // The kernel finds peers that are gone without a word; HTTP's own timeouts are off.
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
};

function createHttpsServer(tls: TlsServerOptions): Server {
  assertServerOptions(tls, "TLS of the server");
  const { cert, key, clientCa, handshakeTimeoutMs = 10_000 } = tls; // Node: 120 s
  const server = createTlsServer({
    ...httpOptions,
    ...oldestVersion,
    cert,
    key,
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
    handshakeTimeout: handshakeTimeoutMs,
  });
  // Node would have it answered as a malformed request, in plaintext.
  server.prependListener("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

async function answer(handler: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.on("error", ignore); // whoever reads the body gets it; nobody else needs it
  const body = createRequestBody(request);
  // What a handler or its logger throws of its own must not end the process, and every other call with it.
  const reply = await replyTo(handler, request, response, body).catch((error: unknown) => {
    return toReply(500, toCleatError(error));
  });
  try {
    sendReply(reply, request, response);
  } catch (error) {
    // It is none: a status that there is not, a media type that no header may hold.
    if (reply?.body instanceof Readable) reply.body.on("error", ignore).destroy();
    if (response.headersSent) response.destroy();
    else sendReply(toReply(500, toCleatError(error)), request, response);
  }
  body.discard();
}

async function replyTo(
  handler: Handler,
  request: IncomingMessage,
  response: ServerResponse,
  body: BodyStream,
): Promise<WireReply> {
  if (request.method !== "POST") {
    return toReply(405, new CleatError("INVALID_ARGUMENT", `HTTP method "${request.method}" is not POST`));
  }
  return handler(new IncomingCall(request, response, body));
}

function sendReply({ status, body, mediaType }: WireReply, request: IncomingMessage, response: ServerResponse): void {
  if (!(body instanceof Readable)) {
    response.writeHead(status, { "Content-Type": mediaType ?? pluginMediaType, "Content-Length": body.byteLength });
    // Node hangs up after the last answer of a connection, also on a peer who is still sending, and then gets no
    // answer.
    if (request.complete) response.end(toLatin1(body), "latin1");
    else {
      response.write(body);
      finished(request, () => response.end());
    }
    return;
  }
  response.writeHead(status, { "Content-Type": mediaType ?? streamMediaType });
  if (takesFromMaker(body, response)) return answerFromMaker(body, response);
  // On a failure the pipeline destroys the connection: without the last chunk no client takes the stream for complete.
  pipeline(body, response, () => {});
}

function ignore(): void {}
