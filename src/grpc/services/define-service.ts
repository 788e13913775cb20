import type { Message } from "./message.ts";

/** Who sends how many messages: `unary` is one each way, a stream is any number, `bidi` streams both ways at once. */
export type CallKind = "unary" | "server-stream" | "client-stream" | "bidi";

export interface GrpcMethod {
  /** The whole path on the wire, as one literal, so that a line of a log leads here. */
  readonly path: `/${string}.${string}/${string}`;
  readonly kind: CallKind;
  readonly request: Message;
  readonly response: Message;
  /** The field of the request that names what the call is about, for logs. */
  readonly subject?: string;
  /**
   * The deadline where the caller sets none. A `unary` call has it as a whole, in the client and in the server, whose
   * peers may set none (containerd does not, and may hold a lock while it waits). For streams it is the client's alone,
   * the longest silence: it starts anew with every message.
   */
  readonly timeoutMs: number;
  /** Where the method is defined: project, version, file. */
  readonly source: string;
}

/** A gRPC service, declared once: server, client and types are derived from this table. */
export interface GrpcService {
  /** "containerd.services.snapshots.v1.Snapshots": the first half of every path. */
  readonly name: string;
  readonly methods: Readonly<Record<string, GrpcMethod>>;
}

/** Declares a service, keeping the literal types of its rows. */
export function defineService<const S extends GrpcService>(service: S): S {
  return service;
}
