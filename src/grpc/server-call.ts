import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { CleatError, TransportError } from "../errors/index.ts";
import { createDeadline, maxTimerMs } from "../transport/index.ts";
import type { GrpcMethod } from "./define-service.ts";
import type { GrpcCall } from "./sides.ts";
import { parseTimeout } from "./timeout.ts";

export interface ServerCall extends GrpcCall {
  /** Rejects when the signal aborts. */
  readonly aborted: Promise<never>;
  /** The call has its answer: nothing aborts it any more. */
  release(): void;
}

/**
 * What bounds one call: its own `grpc-timeout`, or the method's deadline where a unary call has none; and the peer, who
 * may go away.
 * @throws INVALID_ARGUMENT for a `grpc-timeout` that is none.
 */
export function openServerCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  method: GrpcMethod,
): ServerCall {
  const gone = new AbortController();
  const deadline = createDeadline(timeoutOf(headers, method), method.path, gone.signal);
  const onGone = () => {
    const message = `${method.path}: peer gave the call up`;
    gone.abort(new TransportError("CANCELLED", message, { reachedPeer: true }));
  };
  stream.once("aborted", onGone);
  stream.once("close", onGone);
  if (stream.destroyed) onGone();
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => reject(deadline.signal.reason as Error);
    if (deadline.signal.aborted) onAbort();
    else deadline.signal.addEventListener("abort", onAbort, { once: true });
  });
  aborted.catch(() => {}); // who waits for it is told
  return {
    signal: deadline.signal,
    metadata: toMetadata(headers),
    aborted,
    release() {
      deadline.release();
      stream.off("aborted", onGone);
      stream.off("close", onGone);
    },
  };
}

function timeoutOf({ "grpc-timeout": header }: IncomingHttpHeaders, method: GrpcMethod): number {
  if (header === undefined) return method.kind === "unary" ? method.timeoutMs : maxTimerMs;
  const timeoutMs = typeof header === "string" ? parseTimeout(header) : undefined;
  if (timeoutMs !== undefined) return timeoutMs;
  throw new CleatError("INVALID_ARGUMENT", `header grpc-timeout "${String(header)}" is not a timeout`);
}

function toMetadata(headers: IncomingHttpHeaders): Record<string, string> {
  const metadata = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(":") && typeof value === "string") metadata[name] = value;
  }
  return metadata;
}
