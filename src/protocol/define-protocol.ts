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
  /** Where the method is defined: project, version, file. */
  readonly source: string;
}

export interface JsonMethod extends MethodFacts {
  readonly framing: "json";
  readonly response: z.ZodType;
  /**
   * The one field of a response that may be very long, and what it is a list of. It is written in pieces as whoever implements
   * the method gives its items, so that the text is never in memory as a whole.
   */
  readonly list?: { readonly field: string; readonly item: z.ZodType };
}

export interface UploadMethod extends MethodFacts {
  readonly framing: "upload";
  readonly response: z.ZodType;
}

export interface DownloadMethod extends MethodFacts {
  readonly framing: "download";
}

export type Method = JsonMethod | UploadMethod | DownloadMethod;

/** A plugin API, declared once: servers, clients, types and documentation are derived from this table. */
export interface Protocol {
  /** What a plugin lists under `Implements`, and the first half of every path: "GraphDriver". */
  readonly name: string;
  readonly methods: Readonly<Record<string, Method>>;
}

/** Declares a protocol, keeping the literal types of its rows. */
export function defineProtocol<const P extends Protocol>(protocol: P): P {
  return protocol;
}
