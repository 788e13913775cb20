/** The two sides of a protocol as types: what a plugin implements and what an engine calls. */
import type { Readable } from "node:stream";
import type { z } from "zod";
import type { DownloadMethod, Method, Protocol, UploadMethod } from "./define-protocol.ts";

/**
 * The connection that a call came over: one object for each, so that what is learned of it can be kept in a `WeakMap`.
 */
export interface Connection {
  /** Of its socket, to ask the kernel who is at the other end; `undefined` once that is closed. */
  readonly descriptor: number | undefined;
}

/** What an implementation learns about a call besides its arguments. */
export interface Call {
  /** `undefined` where caller and plugin share a process and no connection. */
  readonly connection?: Connection | undefined;
  /** What the caller calls the plugin (HTTP's `Host`), empty or not; `undefined` where no HTTP lies between. */
  readonly host?: string | undefined;
  /** Aborted when the peer is gone before it has its answer. */
  readonly signal: AbortSignal;
}

export interface UploadCall extends Call {
  /** Throws when the peer stops in the middle; ends only where the peer ended it. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface CallOptions {
  /** Gives the call up; also destroys a stream that was answered. */
  readonly signal?: AbortSignal | undefined;
  /** Instead of the method's own. */
  readonly timeoutMs?: number | undefined;
}

export interface UploadOptions extends CallOptions {
  /** Read once, only after the peer was reached. */
  readonly body: AsyncIterable<Uint8Array>;
}

type RequestOf<M extends Method> = z.output<M["request"]>;
type AnswerOf<M extends Method> = M extends DownloadMethod
  ? Readable
  : z.output<Exclude<M, DownloadMethod>["response"]>;

/** A long list may be made while it is sent. */
type ServerAnswerOf<M extends Method> = M extends { readonly list: { readonly field: infer F; readonly item: infer I } }
  ? { readonly [K in F & string]: Iterable<z.output<I>> }
  : AnswerOf<M>;

type ServerMethod<M extends Method> = (
  request: RequestOf<M>,
  call: M extends UploadMethod ? UploadCall : Call,
) => Promise<ServerAnswerOf<M>>;

type ClientMethod<M extends Method> = M extends UploadMethod
  ? (request: RequestOf<M>, options: UploadOptions) => Promise<AnswerOf<M>>
  : (request: RequestOf<M>, options?: CallOptions) => Promise<AnswerOf<M>>;

type OptionalNames<P extends Protocol> = {
  [K in keyof P["methods"]]: P["methods"][K] extends { readonly optional: true } ? K : never;
}[keyof P["methods"]];

/** One function per method; those that the protocol calls optional may be missing. */
export type ServerImplementation<P extends Protocol> = {
  [K in Exclude<keyof P["methods"], OptionalNames<P>>]: ServerMethod<P["methods"][K]>;
} & { [K in OptionalNames<P>]?: ServerMethod<P["methods"][K]> };

/** One function per method; an optional one rejects with `UNIMPLEMENTED` when the plugin lacks it. */
export type Client<P extends Protocol> = { readonly [K in keyof P["methods"]]: ClientMethod<P["methods"][K]> };
