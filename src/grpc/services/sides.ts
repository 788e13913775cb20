/** The two sides of a service as types: what a server implements and what a client calls. */
import type { CallOptions, Connection } from "../../protocol/index.ts";
import type { GrpcMethod, GrpcService } from "./define-service.ts";
import type { MessageIn, MessageOut } from "./message.ts";

/** Headers of a call by their names in lower case: "containerd-namespace". */
export type Metadata = Readonly<Record<string, string>>;

/** What an implementation learns about a call besides its request. */
export interface GrpcCall {
  /** Aborted with a `TransportError`: the peer is gone or gave up (CANCELLED), or time is up (DEADLINE_EXCEEDED). */
  readonly signal: AbortSignal;
  readonly metadata: Metadata;
  /** The same for all calls on it; `undefined` where both ends share a process and no connection. */
  readonly connection?: Connection | undefined;
}

export interface GrpcCallOptions extends CallOptions {
  /** Sent along, after the client's own. */
  readonly metadata?: Metadata | undefined;
}

type Out<M extends GrpcMethod, Side extends "request" | "response"> = MessageOut<M[Side]>;
type In<M extends GrpcMethod, Side extends "request" | "response"> = MessageIn<M[Side]>;

interface ServerMethods<M extends GrpcMethod> {
  unary(request: Out<M, "request">, call: GrpcCall): Promise<In<M, "response">>;
  "server-stream"(request: Out<M, "request">, call: GrpcCall): AsyncIterable<In<M, "response">>;
  "client-stream"(requests: AsyncIterable<Out<M, "request">>, call: GrpcCall): Promise<In<M, "response">>;
  bidi(requests: AsyncIterable<Out<M, "request">>, call: GrpcCall): AsyncIterable<In<M, "response">>;
}

/**
 * Streams that a client reads are open until they are read to their end or left: leaving the loop cancels the call. The
 * request is sent when the loop starts.
 */
interface ClientMethods<M extends GrpcMethod> {
  unary(request: In<M, "request">, options?: GrpcCallOptions): Promise<Out<M, "response">>;
  "server-stream"(request: In<M, "request">, options?: GrpcCallOptions): AsyncIterable<Out<M, "response">>;
  "client-stream"(requests: AsyncIterable<In<M, "request">>, options?: GrpcCallOptions): Promise<Out<M, "response">>;
  bidi(requests: AsyncIterable<In<M, "request">>, options?: GrpcCallOptions): AsyncIterable<Out<M, "response">>;
}

export type GrpcImplementation<S extends GrpcService> = {
  readonly [K in keyof S["methods"]]: ServerMethods<S["methods"][K]>[S["methods"][K]["kind"]];
};

export type GrpcClient<S extends GrpcService> = {
  readonly [K in keyof S["methods"]]: ClientMethods<S["methods"][K]>[S["methods"][K]["kind"]];
};

/** A service with its implementation. Made by `implementService`. */
export interface ImplementedService {
  readonly service: GrpcService;
  readonly implementation: Readonly<Record<string, AnyGrpcMethod>>;
}

/** A method whose types were checked where it was implemented. */
export type AnyGrpcMethod = (request: never, call: GrpcCall) => Promise<unknown> | AsyncIterable<unknown>;

/** Ties an implementation to its service; the compiler checks that each method is there and fits. */
export function implementService<S extends GrpcService>(
  service: S,
  implementation: GrpcImplementation<S>,
): ImplementedService {
  return { service, implementation: implementation as unknown as ImplementedService["implementation"] };
}
