import type { z } from "zod";

/**
 * How a method's arguments and answer travel:
 *
 * - `json`: JSON both ways;
 * - `upload`: arguments in the query, a raw body, a JSON answer;
 * - `download`: JSON arguments, a raw stream as answer.
 */
export type Framing = "json" | "upload" | "download";

interface MethodFacts {
  /** What it is for, and what its fields alone do not say: for whoever reads the documentation. */
  readonly summary?: string;
  /** The whole path on the wire, as one literal, so that a line of a log leads here. */
  readonly path: `/${string}.${string}`;
  readonly request: z.ZodType;
  /** The field of the request that names what the call is about, for logs. */
  readonly subject?: string;
  /**
   * The client's deadline, where the caller sets none. For `json` until the answer is there; for `upload` and
   * `download` the longest silence: it starts anew with every chunk.
   */
  readonly timeoutMs: number;
  /** A plugin may lack the method: it answers 404, and callers go on without. */
  readonly optional?: true;
  /**
   * The first version of Docker that sends it, "28.0", where older ones that are still run do not. A field has the same
   * as `since` in the metadata of its schema.
   */
  readonly since?: string;
  /** It asks and changes nothing, so that anybody may call it at any time. */
  readonly safe?: true;
  /** Where the method is defined: project, version, file. */
  readonly source: string;
}

/** Of a request or an answer that is read into memory. */
interface RequestLimit {
  /** Bytes of JSON that a plugin reads of a request; default `defaultMaxRequestBytes`. */
  readonly maxRequestBytes?: number;
}
interface ReplyLimit {
  /** Bytes of JSON that a caller reads of an answer; default `defaultMaxReplyBytes`. */
  readonly maxReplyBytes?: number;
}
interface RawBody {
  /** The `Content-Type` of the raw body: "application/x-tar". */
  readonly mediaType: string;
}

export interface JsonMethod extends MethodFacts, RequestLimit, ReplyLimit {
  readonly framing: "json";
  readonly response: z.ZodType;
  /**
   * The one field of a response that may be very long, and what it is a list of. It is written in pieces as whoever
   * implements the method gives its items, so that the text is never in memory as a whole.
   */
  readonly list?: { readonly field: string; readonly item: z.ZodType };
}

export interface UploadMethod extends MethodFacts, ReplyLimit, RawBody {
  readonly framing: "upload";
  readonly response: z.ZodType;
}

export interface DownloadMethod extends MethodFacts, RequestLimit, RawBody {
  readonly framing: "download";
}

/** Docker's largest requests are some hundred bytes. */
export const defaultMaxRequestBytes = 1024 * 1024;
/** `Changes` of a container with some hundred thousand files. */
export const defaultMaxReplyBytes = 64 * 1024 * 1024;

export type Method = JsonMethod | UploadMethod | DownloadMethod;

/** A plugin API, declared once: servers, clients, types and documentation are derived from this table. */
export interface Protocol {
  /** The first half of every path: "GraphDriver". */
  readonly name: string;
  /**
   * What a plugin lists under `Implements`, where that is not the name: Docker's "authz" has paths of "AuthZPlugin".
   */
  readonly implements?: string;
  /**
   * The field in which an answer of 200 tells of a failure, where that is not `Err`. With any other status it is always
   * `Err` (see `failure.ts`).
   */
  readonly failureField?: string;
  /** Who speaks it, for whoever reads the documentation. */
  readonly summary?: string;
  readonly methods: Readonly<Record<string, Method>>;
}

/** What a plugin that speaks the protocol lists under `Implements`. */
export function announcedName(protocol: Pick<Protocol, "name" | "implements">): string {
  return protocol.implements ?? protocol.name;
}

/** Declares a protocol, keeping the literal types of its rows. */
export function defineProtocol<const P extends Protocol>(protocol: P): P {
  return protocol;
}

/** The field in which an answer of 200 tells of a failure. */
export function failureFieldOf(protocol: Pick<Protocol, "failureField">): string {
  return protocol.failureField ?? "Err";
}
