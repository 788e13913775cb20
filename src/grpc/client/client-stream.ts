import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CleatError, type ErrorCode, TransportError } from "../../errors/index.ts";
import type { GrpcMethod } from "../services/define-service.ts";
import { GrpcError } from "../wire/grpc-error.ts";
import { decodeStatus } from "../wire/status.ts";
import type { GrpcChannel } from "./channel.ts";

/** One call as the client sees it. */
export interface ClientStream {
  readonly stream: ClientHttp2Stream;
  /** Resolves when the stream is closed, and rejects with what its status, or the lack of one, says. */
  readonly ended: Promise<void>;
  /** As `ended`, for who has read all messages: a peer that has ended the call is sent nothing more. */
  finish(): Promise<void>;
  /** Gives the call up, if it runs still. */
  cancel(): void;
}

/**
 * Starts a call. One that a closing connection did not take is started again on a new one; the peer has not seen it.
 * @throws TransportError when there is no connection.
 */
export async function openClientStream(
  channel: GrpcChannel,
  method: GrpcMethod,
  headers: Readonly<Record<string, string>>,
): Promise<ClientStream> {
  for (let tries = 1; ; tries++) {
    const session = await channel.session();
    try {
      return follow(request(session, method, headers), method, channel.address);
    } catch (error) {
      if (tries < 3 && (session.closed || session.destroyed)) continue;
      const message = `${method.path} on ${channel.address} could not be sent: ${String(error)}`;
      throw new TransportError("UNAVAILABLE", message, { reachedPeer: false, cause: error });
    }
  }
}

function request(
  session: ClientHttp2Session,
  method: GrpcMethod,
  headers: Readonly<Record<string, string>>,
): ClientHttp2Stream {
  return session.request({
    ":method": "POST",
    ":path": method.path,
    "content-type": "application/grpc",
    te: "trailers",
    "user-agent": "cleat",
    ...headers,
  });
}

function follow(stream: ClientHttp2Stream, method: GrpcMethod, address: string): ClientStream {
  let answer: IncomingHttpHeaders | undefined;
  let trailers: IncomingHttpHeaders | undefined;
  let failure: Error | undefined;
  stream.once("response", (headers) => (answer = headers));
  stream.once("trailers", (headers) => (trailers = headers));
  stream.once("error", (error) => (failure = error));
  const ended = new Promise<void>((resolve, reject) => {
    stream.once("close", () => {
      const isLost = stream.session === undefined || stream.session.destroyed;
      const error = judge(method, address, { answer, trailers, failure, isLost, rstCode: stream.rstCode ?? 0 });
      if (error === undefined) resolve();
      else reject(error);
    });
  });
  ended.catch(() => {}); // who waits for it is told
  const cancel = () => {
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    stream.resume(); // Node keeps a stream, and its session, for as long as it holds what nobody has read
  };
  return {
    stream,
    ended,
    cancel,
    async finish() {
      if (!stream.writableFinished) {
        await nextTurn(); // for the trailers, which come in the same turn
        cancel();
      }
      return ended;
    },
  };
}

interface StreamEnd {
  readonly answer: IncomingHttpHeaders | undefined;
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly failure: Error | undefined;
  /** The connection is gone; the stream's code is Node's own then, and another each time. */
  readonly isLost: boolean;
  readonly rstCode: number;
}

function judge(method: GrpcMethod, address: string, end: StreamEnd): CleatError | undefined {
  const status = decodeStatus(end.trailers ?? {}) ?? decodeStatus(end.answer ?? {});
  if (status !== undefined) {
    return status.code === undefined ? undefined : new GrpcError(status.code, status.message, method.path, address);
  }
  const subject = `${method.path} on ${address}`;
  const httpStatus = Number(end.answer?.[":status"] ?? 200);
  if (httpStatus !== 200) {
    return new GrpcError(codeOfHttpStatus[httpStatus] ?? "UNKNOWN", `HTTP status ${httpStatus}`, method.path, address);
  }
  const code = end.isLost ? "UNAVAILABLE" : codeOfReset(end.rstCode);
  const reachedPeer = end.rstCode !== constants.NGHTTP2_REFUSED_STREAM;
  const reason = end.failure?.message ?? "the connection was lost";
  return new TransportError(code, `${subject} ended without a status: ${reason}`, { reachedPeer, cause: end.failure });
}

/** Source: gRPC `doc/http-grpc-status-mapping.md`. */
const codeOfHttpStatus: Readonly<Record<number, ErrorCode>> = {
  400: "INTERNAL",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "UNIMPLEMENTED",
  429: "UNAVAILABLE",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "UNAVAILABLE",
};

/** Source: gRPC `doc/PROTOCOL-HTTP2.md`, "Errors"; a stream that just ended lost its connection. */
function codeOfReset(rstCode: number): ErrorCode {
  switch (rstCode) {
    case constants.NGHTTP2_NO_ERROR:
    case constants.NGHTTP2_REFUSED_STREAM:
      return "UNAVAILABLE";
    case constants.NGHTTP2_CANCEL:
      return "CANCELLED";
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return "RESOURCE_EXHAUSTED";
    case constants.NGHTTP2_INADEQUATE_SECURITY:
      return "PERMISSION_DENIED";
    default:
      return "INTERNAL";
  }
}
