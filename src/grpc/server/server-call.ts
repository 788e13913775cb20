import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { CleatError, TransportError } from "../../errors/index.ts";
import type { Connection } from "../../protocol/index.ts";
import { maxTimerMs } from "../../transport/index.ts";
import type { GrpcMethod } from "../services/define-service.ts";
import type { GrpcCall, Metadata } from "../services/sides.ts";
import { parseTimeout } from "../wire/timeout.ts";

export interface ServerCall extends GrpcCall {
  /** Rejects when the signal aborts. */
  readonly aborted: Promise<never>;
  /** The call has its answer: nothing aborts it any more. */
  release(): void;
}

/**
 * What bounds one call: its own `grpc-timeout`, or the method's deadline where a unary call has none; and the peer, who
 * may go away. A signal is made for who looks at it, as most implementations do not.
 * @throws INVALID_ARGUMENT for a `grpc-timeout` that is none.
 */
export function openServerCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  method: GrpcMethod,
  connection: Connection,
): ServerCall {
  const timeoutMs = Math.min(timeoutOf(headers, method), maxTimerMs);
  let isReleased = false;
  let reason: TransportError | undefined;
  let controller: AbortController | undefined;
  let reject: (reason: TransportError) => void = () => {};
  const aborted = new Promise<never>((_, rejectIt) => (reject = rejectIt));
  aborted.catch(() => {}); // who waits for it is told
  const abort = (code: "CANCELLED" | "DEADLINE_EXCEEDED", message: string) => {
    if (isReleased || reason !== undefined) return;
    clearTimeout(timer);
    reason = new TransportError(code, message, { reachedPeer: true });
    reject(reason);
    controller?.abort(reason);
  };
  const onTimeout = () => abort("DEADLINE_EXCEEDED", `${method.path} gave no answer within ${timeoutMs} ms`);
  const timer = setTimeout(onTimeout, timeoutMs);
  // Never taken off: to take a listener off a stream costs more than the rest of this.
  const onGone = () => abort("CANCELLED", `${method.path}: peer gave the call up`);
  stream.once("aborted", onGone);
  stream.once("close", onGone);
  if (stream.destroyed) onGone();
  let metadata: Metadata | undefined;
  return {
    connection,
    get signal() {
      if (controller === undefined) {
        controller = new AbortController();
        if (reason !== undefined) controller.abort(reason);
      }
      return controller.signal;
    },
    get metadata() {
      return (metadata ??= toMetadata(headers));
    },
    aborted,
    release() {
      isReleased = true;
      clearTimeout(timer);
    },
  };
}

function timeoutOf({ "grpc-timeout": header }: IncomingHttpHeaders, method: GrpcMethod): number {
  if (header === undefined) return method.kind === "unary" ? method.timeoutMs : maxTimerMs;
  const timeoutMs = typeof header === "string" ? parseTimeout(header) : undefined;
  if (timeoutMs !== undefined) return timeoutMs;
  throw new CleatError("INVALID_ARGUMENT", `header grpc-timeout "${String(header)}" is not a timeout`);
}

function toMetadata(headers: IncomingHttpHeaders): Metadata {
  const metadata = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(":") && typeof value === "string") metadata[name] = value;
  }
  return metadata;
}
