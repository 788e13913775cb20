/**
 * The seam between a protocol and what carries it. A handler answers a request; a transport brings a request to a
 * handler and the reply back. Neither knows a method's schema.
 */
import type { Readable } from "node:stream";
import type { Connection } from "../../protocol/index.ts";
import type { LendingSource } from "../../protocol/kit.ts";
import type { GivingUp } from "./deadline.ts";

export interface WireRequest {
  /** "/GraphDriver.Get" */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** A stream of chunks for uploads. Its iteration throws when the sender stopped before the end. */
  readonly body: Uint8Array | BodyStream;
  /** Of a body that is a stream, where it has one. */
  readonly mediaType?: string | undefined;
  /** What the plugin has to list under `Implements`; default the first half of the path. Only a client knows it. */
  readonly announced?: string | undefined;
  /** The answer is a stream of any length, and has succeeded when it begins; a short one otherwise. */
  readonly download?: boolean;
  /**
   * A short reply is wanted whole, as bytes: its end is waited for, and what exceeds this is cut off somewhere behind
   * it. Only a client asks for that; a transport may still answer with a stream.
   */
  readonly maxReplyBytes?: number | undefined;
  /** The same of a reply that is a failure; default `maxReplyBytes`. */
  readonly maxFailureBytes?: number | undefined;
  /** Aborted when nobody waits for the reply any more. */
  readonly signal: AbortSignal;
  /** What `signal` tells, for whoever can do without a signal; only a client has it. */
  readonly givingUp?: GivingUp | undefined;
  /** What it came over, for the handler; only a server knows one. */
  readonly connection?: Connection | undefined;
  /** As the caller's `Host` header has it; only a server knows one. */
  readonly host?: string | undefined;
}

export interface BodyStream extends LendingSource {
  /** All of it in one piece, where that costs less than to iterate: instead, and once. @throws as `readBounded`. */
  readonly collect?: (maxBytes: number, subject: string) => Promise<Uint8Array>;
}

export interface WireReply {
  /** An HTTP status; 200 is success, whatever else is a failure. */
  readonly status: number;
  /**
   * A stream fails with an error where it breaks off; it never ends there. Whoever gets it reads it to its end or
   * destroys it.
   */
  readonly body: Uint8Array | Readable;
  /** Default that of plugins' messages, and of a stream `application/octet-stream`. */
  readonly mediaType?: string;
}

/** Answers a request. Never rejects: a failure is a reply. */
export type Handler = (request: WireRequest) => Promise<WireReply>;

export interface Transport {
  /** Where the peer is, for messages: "unix:///run/docker/plugins/cleat.sock". */
  readonly address: string;
  /**
   * Resolves when the reply begins, or is there whole where that is asked for. Does not touch a streamed body before
   * the peer is reached, so that a call that failed with `reachedPeer: false` may be sent again.
   * @throws TransportError
   */
  send(request: WireRequest): Promise<WireReply>;
  /** Drops connections, running calls included. May be called twice. */
  close(): Promise<void>;
}
