/** One call as it was on the wire: what `cleat trace` prints and fixtures hold. */
export interface Exchange {
  /** When the head of the request was there; ISO 8601 in UTC. */
  readonly startedAt: string;
  /** From then to the last byte of the answer, or to the failure. */
  readonly durationMs: number;
  readonly request: RecordedRequest;
  /** Missing when the answer never began. */
  readonly response?: RecordedResponse | undefined;
  /** Why one of the two is not whole. A plugin's `Err` is none: that is a whole answer. */
  readonly failure?: string | undefined;
}

/** Name and value as sent, in their order and spelling; bytes above 127 as Latin-1. */
export type RawHeaders = readonly (readonly [string, string])[];

export interface RecordedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: RawHeaders;
  readonly body: RecordedBody;
}

export interface RecordedResponse {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: RecordedBody;
}

/**
 * A body without its transfer coding: its beginning, as text where it is UTF-8 without zeros, and what is known of all
 * of it.
 */
export type RecordedBody = { readonly sizeBytes: number; readonly sha256?: string | undefined } & (
  | { readonly text: string }
  | { readonly base64: string }
);

/** The bytes that were recorded; with `sha256` set there were more. */
export function recordedBytes(body: RecordedBody): Buffer {
  return "text" in body ? Buffer.from(body.text) : Buffer.from(body.base64, "base64");
}
