import { CleatError, quoteText } from "../../errors/index.ts";
import type { RawHeaders } from "./exchange.ts";

/** How a message's body ends; `again` when another head follows, `opaque` when no more of the connection is HTTP. */
export type BodyFraming = { readonly sizedBytes: number } | "chunked" | "until-close" | "again" | "opaque";

export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: RawHeaders;
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: RawHeaders;
}

/** @throws INVALID_ARGUMENT when `lines` are no head of a request. */
export function parseRequestHead(lines: readonly string[]): RequestHead {
  const [first = "", ...rest] = lines;
  const [, method = "", url = ""] = matching(/^([^ ]+) (.*) HTTP\/1\.[01]$/, first, "request line");
  return { method, url, headers: rest.map(parseHeader) };
}

/** @throws INVALID_ARGUMENT when `lines` are no head of a response. */
export function parseResponseHead(lines: readonly string[]): ResponseHead {
  const [first = "", ...rest] = lines;
  const [, status = ""] = matching(/^HTTP\/1\.[01] (\d{3})(?: .*)?$/, first, "status line");
  return { status: Number(status), headers: rest.map(parseHeader) };
}

/** Source: RFC 9112, section 6.3. */
export function framingOfRequest({ headers }: RequestHead): BodyFraming {
  return declaredFraming(headers) ?? { sizedBytes: 0 };
}

export function framingOfResponse({ status, headers }: ResponseHead, requestMethod: string): BodyFraming {
  if (status === 101) return "opaque";
  if (status < 200) return "again";
  if (requestMethod === "HEAD" || status === 204 || status === 304) return { sizedBytes: 0 };
  return declaredFraming(headers) ?? "until-close";
}

function declaredFraming(headers: RawHeaders): BodyFraming | undefined {
  const codings = valuesOf(headers, "transfer-encoding");
  if (codings.length > 0) return /(^|,)\s*chunked\s*$/i.test(codings.join()) ? "chunked" : "until-close";
  const [length, ...others] = new Set(valuesOf(headers, "content-length"));
  if (length === undefined) return undefined;
  if (others.length > 0 || !/^\d{1,15}$/.test(length))
    throw toMalformedError("Content-Length", [length, ...others].join());
  return { sizedBytes: Number(length) };
}

function valuesOf(headers: RawHeaders, wanted: string): string[] {
  return headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
}

function parseHeader(line: string): [string, string] {
  const [, name = "", value = ""] = matching(/^([^\s:]+):[ \t]*(.*?)[ \t]*$/, line, "header");
  return [name, value];
}

function matching(pattern: RegExp, line: string, what: string): RegExpExecArray {
  const found = pattern.exec(line);
  if (found === null) throw toMalformedError(what, line);
  return found;
}

function toMalformedError(what: string, text: string): CleatError {
  return toNotHttpError(`${what} ${quoteText(text)}`);
}

/** What a connection carries that is not a message of its protocol. */
export function toNotHttpError(what: string): CleatError {
  return new CleatError("INVALID_ARGUMENT", `${what} is not HTTP/1.1`);
}
