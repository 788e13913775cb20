import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { finished, pipeline, Readable } from "node:stream";
import { CleatError, toCleatError, TransportError } from "../../errors/index.ts";
import { pluginMediaType, streamMediaType } from "../../protocol/index.ts";
import { connectionOf } from "../connection.ts";
import { toReply } from "../handler.ts";
import { refuseMalformed } from "./malformed-request.ts";
import { assertServerOptions, oldestVersion } from "../tls/secure-context.ts";
import type { TlsServerOptions } from "../tls/tls.ts";
import type { Handler, WireReply } from "../wire.ts";

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
  request.on("error", () => {}); // whoever reads the body gets it; nobody else needs it
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort(peerGone("before it had its answer"));
  });
  const body = readableBody(request);
  // What a handler or its logger throws of its own must not end the process, and every other call with it.
  const reply = await replyTo(handler, request, body, gone.signal).catch((error: unknown) => {
    return toReply(500, toCleatError(error));
  });
  sendReply(reply, request, response);
  body.discard();
}

async function replyTo(
  handler: Handler,
  request: IncomingMessage,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<WireReply> {
  if (request.method !== "POST") {
    return toReply(405, new CleatError("INVALID_ARGUMENT", `HTTP method "${request.method}" is not POST`));
  }
  const [path = "", search = ""] = splitOnce(request.url ?? "", "?");
  const query = Object.fromEntries(new URLSearchParams(search));
  const connection = connectionOf(request.socket);
  const { host } = request.headers;
  return handler({ path, query, body, signal, connection, host });
}

interface RequestBody extends AsyncIterable<Uint8Array> {
  /** Reads what is left, for nobody. Whoever reads on gets no more, and holds nothing up. */
  discard(): void;
}

function readableBody(request: IncomingMessage): RequestBody {
  let isDiscarded = false;
  async function* read(): AsyncGenerator<Uint8Array, undefined> {
    if (isDiscarded) throw new CleatError("FAILED_PRECONDITION", "body is not read any more: its call was answered");
    yield* readBody(request);
  }
  return {
    [Symbol.asyncIterator]: read,
    discard() {
      isDiscarded = true;
      if (request.complete && request.readableEnded) return;
      request.removeAllListeners("readable"); // an iterator that was left without `return` would hold the stream back
      request.on("data", () => {}); // and one that is left later would stop it, if nobody listened
      request.resume();
    },
  };
}

/**
 * Leaving the loop early must not destroy the request: that would drop the connection before the failure is answered.
 */
async function* readBody(request: IncomingMessage): AsyncGenerator<Uint8Array, undefined> {
  try {
    yield* request.iterator({ destroyOnReturn: false });
  } catch (error) {
    throw peerGone("in the middle of its body", error);
  }
  if (!request.complete) throw peerGone("in the middle of its body");
}

function sendReply({ status, body, mediaType }: WireReply, request: IncomingMessage, response: ServerResponse): void {
  if (!(body instanceof Readable)) {
    response.writeHead(status, { "Content-Type": pluginMediaType, "Content-Length": body.byteLength });
    // Node hangs up after the last answer of a connection, also on a peer who is still sending, and then gets no
    // answer.
    if (request.complete) response.end(body);
    else {
      response.write(body);
      finished(request, () => response.end());
    }
    return;
  }
  response.writeHead(status, { "Content-Type": mediaType ?? streamMediaType });
  // On a failure the pipeline destroys the connection: without the last chunk no client takes the stream for complete.
  pipeline(body, response, () => {});
}

function peerGone(when: string, cause?: unknown): TransportError {
  return new TransportError("CANCELLED", `peer closed the connection ${when}`, { reachedPeer: true, cause });
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
