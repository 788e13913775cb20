import {
  createServer,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { CleatError } from "../../errors/index.ts";
import type { Connection } from "../../protocol/index.ts";
import { descriptorOf, type Logger, silentLogger } from "../../transport/index.ts";
import { defaultMaxMessageBytes } from "../wire/frames.ts";
import { createMemoryBudget } from "../wire/memory-budget.ts";
import type { ImplementedService } from "../services/sides.ts";
import { type CallContext, handleCall, type Route } from "./handle-call.ts";

export interface GrpcServerOptions {
  readonly logger?: Logger;
  /** Cap for one message, each way; default 16 MiB, containerd's own. */
  readonly maxMessageBytes?: number;
  /** Cap for the requests of one connection that are under way, whole or in part; default 64 MiB. */
  readonly maxPendingBytes?: number;
  /**
   * Cap for the calls of one connection that are under way; default 10,000, more than any engine has. One more waits
   * with its caller, or is refused where that does not know the cap. Each takes some 13 KB, before it has sent a byte.
   */
  readonly maxCalls?: number;
}

export interface GrpcServer {
  /** The caller makes it listen. */
  readonly server: Http2Server;
  /**
   * Takes no more connections, tells each peer to send no more calls (GOAWAY) and lets running calls finish. What is
   * left after `timeoutMs` is broken off. Resolves with the number of those connections. May be called once.
   */
  drain(timeoutMs: number): Promise<number>;
}

/**
 * Serves gRPC services over plaintext HTTP/2, without an upgrade from HTTP/1.1 ("prior knowledge").
 *
 * No connection is closed first, however long it is idle: an engine holds one for its life. Messages are never
 * compressed. What a peer may make this process keep is limited, and more calls than an engine ever has. Node refuses a
 * call that names no host (an empty `:authority`, or neither that nor `host`: nghttp2 1.61
 * `nghttp2_http_on_request_headers`) before anybody hears of it; containerd names "localhost".
 * @throws ALREADY_EXISTS when two services have a method of the same path.
 */
export function createGrpcServer(services: readonly ImplementedService[], options: GrpcServerOptions = {}): GrpcServer {
  const {
    logger = silentLogger,
    maxMessageBytes = defaultMaxMessageBytes,
    maxPendingBytes = 64 * 1024 * 1024,
    maxCalls = 10_000,
  } = options;
  const routes = collectRoutes(services);
  const peers = new WeakMap<Http2Session, Pick<CallContext, "budget" | "connection">>();
  const server = createServer({
    maxSessionMemory: maxSessionMegabytes,
    settings: { maxConcurrentStreams: maxCalls },
  });
  const sessions = new Set<Http2Session>();
  const sockets = new Set<Socket>();

  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("session", (session: Http2Session) => {
    sessions.add(session);
    peers.set(session, { budget: createMemoryBudget(maxPendingBytes), connection: connectionOf(session) });
    session.once("close", () => sessions.delete(session));
  });
  server.on("sessionError", (error: Error) => logger.warn({ reason: error.message }, "connection broken off"));
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on("error", () => {}); // "close" tells the same
    const peer = stream.session && peers.get(stream.session);
    if (peer === undefined || refuseOtherProtocols(stream, headers)) return;
    void handleCall(stream, headers, routes.get(String(headers[":path"])), { logger, maxMessageBytes, ...peer });
  });

  return {
    server,
    async drain(timeoutMs) {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const session of sessions) session.close();
      let brokenOff = 0;
      const timer = setTimeout(() => {
        brokenOff = sockets.size;
        for (const session of sessions) session.destroy();
        for (const socket of sockets) socket.destroy();
      }, timeoutMs);
      await closed;
      clearTimeout(timer);
      return brokenOff;
    },
  };
}

function connectionOf(session: Http2Session): Connection {
  return {
    get descriptor() {
      return session.destroyed ? undefined : descriptorOf(session.socket as Socket);
    },
  };
}

/** Node counts what waits to be sent, and refuses new calls beyond 10 MB by default: less than one message. */
const maxSessionMegabytes = 256;

function collectRoutes(services: readonly ImplementedService[]): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  for (const { service, implementation } of services) {
    for (const [name, method] of Object.entries(service.methods)) {
      if (routes.has(method.path)) throw new CleatError("ALREADY_EXISTS", `method "${method.path}" is served twice`);
      const run = implementation[name];
      if (run !== undefined) routes.set(method.path, { method, run: run.bind(implementation) });
    }
  }
  return routes;
}

/** What is not gRPC is answered in HTTP's own terms. Source: gRPC `doc/PROTOCOL-HTTP2.md`, "Content-Type". */
function refuseOtherProtocols(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
  const isPost = headers[":method"] === "POST";
  if (isPost && /^application\/grpc(?:\+proto)?(?:;|$)/.test(headers["content-type"] ?? "")) return false;
  stream.respond({ ":status": isPost ? 415 : 405 }, { endStream: true });
  if (!stream.readableEnded) stream.resume();
  return true;
}
