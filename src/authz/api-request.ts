import type { X509Certificate } from "node:crypto";
import type { z } from "zod";
import { CleatError } from "../errors/index.ts";
import { decodeGoJson } from "../protocol/index.ts";
import { type ApiQuery, parseApiQuery } from "./api-query.ts";
import { type ApiRoute, matchRoute, parseApiUri } from "./api-route.ts";
import type { RequestFacts } from "./authorizer.ts";
import { assertPlainJson } from "./plain-json.ts";

/**
 * What is known of a request's body:
 *
 * - `passed`: the engine handed it on;
 * - `none`: there is none, the client says so (`Content-Length: 0`), or the method has none;
 * - `withheld`: there is one, and the engine handed it not on: its type, its length, or a path that begins with
 *   `/auth`;
 * - `unknown`: nobody says: the client wrote it in chunks, or there is none.
 */
export type BodyState = "passed" | "none" | "withheld" | "unknown";

/** A request as a policy sees it: read as Docker reads it, or not at all. What throws here denies. */
export interface ApiRequest {
  /** As it came. */
  readonly facts: RequestFacts;
  readonly user: string;
  readonly method: string;
  readonly route: ApiRoute;
  readonly peerCertificates: readonly X509Certificate[];
  readonly bodyState: BodyState;
  /**
   * Of the query. @throws INVALID_ARGUMENT where it cannot be read as Docker does, and for POST, PUT and PATCH unless
   * there is no body (`bodyState` is `none`) or one of JSON that the engine handed on: any other may be a form, whose
   * fields come before those of the query.
   */
  readonly query: ApiQuery;
  /** Whether it is this method and route: `is("POST", "/containers/{id}/exec")`. */
  is(method: string, template: string): boolean;
  /** The values of the names in the template; `undefined` where it is another method or route. */
  match(method: string, template: string): Readonly<Record<string, string>> | undefined;
  /** Of a header, whatever its case. Of one that came more than once the last value, while Docker heeds the first. */
  header(name: string): string | undefined;
  /**
   * The body, by a schema. Describe objects with `goStruct`, whose names match as Go's do; what the schema does not
   * name is let through unseen. @throws INVALID_ARGUMENT where there may be a body that the engine did not hand on, or
   * none, and where it is not of the schema or not plain: an object with two names that differ in case only has two
   * meanings.
   */
  json<S extends z.ZodType>(schema: S): z.output<S>;
  /** As `json`; `undefined` where it is sure that there is no body. */
  jsonIfAny<S extends z.ZodType>(schema: S): z.output<S> | undefined;
}

/** @throws INVALID_ARGUMENT for a URI that Docker would not route. */
export function readApiRequest(facts: RequestFacts): ApiRequest {
  const route = parseApiUri(facts.uri);
  const headers = new Map(Object.entries(facts.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const header = (name: string) => headers.get(name.toLowerCase());
  const bodyState = bodyStateOf(facts, header("content-length"));
  const subject = `body of ${facts.method} ${route.path}`;
  const match = (method: string, template: string) =>
    facts.method === method ? matchRoute(template, route.path) : undefined;
  const json = <S extends z.ZodType>(schema: S): z.output<S> => {
    if (facts.body === undefined || bodyState !== "passed")
      throw new CleatError("INVALID_ARGUMENT", `${subject} ${lack}`);
    const value = decodeGoJson(schema, facts.body, subject, "INVALID_ARGUMENT");
    assertPlainJson(new TextDecoder().decode(facts.body), subject);
    return value;
  };
  return {
    facts,
    user: facts.user,
    method: facts.method,
    route,
    peerCertificates: facts.peerCertificates,
    bodyState,
    get query() {
      if (mayHaveForm(facts.method, bodyState, header("content-type"))) {
        throw new CleatError(
          "INVALID_ARGUMENT",
          `${subject} may be a form, which is not seen here and comes before the query`,
        );
      }
      return parseApiQuery(route.rawQuery);
    },
    is: (method, template) => match(method, template) !== undefined,
    match,
    header,
    json,
    jsonIfAny: (schema) => (bodyState === "none" ? undefined : json(schema)),
  };
}

const lack = "is needed to decide, and the engine did not hand it on: it is missing, too long, or not application/json";

/** Methods whose bodies Go's handlers do not look at. */
const withoutBody = new Set(["GET", "HEAD"]);

/**
 * `Content-Length` of 0 is believed: where a request is in chunks as well, Go's server takes the header away (go1.19
 * `net/http/transfer.go`, `parseTransferEncoding`).
 */
function bodyStateOf({ body, method }: RequestFacts, contentLength: string | undefined): BodyState {
  if (body !== undefined && body.byteLength > 0) return "passed";
  if (withoutBody.has(method) || contentLength === "0") return "none";
  return contentLength === undefined ? "unknown" : "withheld";
}

/** Source: go1.19 `net/http/request.go`, `ParseForm`. */
const withForm = new Set(["POST", "PUT", "PATCH"]);

/**
 * Of a header that came twice the engine tells the last value and heeds the first (moby v20.10.24
 * `pkg/authorization/authz.go`, `headers`): so the type proves nothing of a body that was not handed on. What Docker
 * hands on is JSON by the first.
 */
function mayHaveForm(method: string, bodyState: BodyState, contentType = ""): boolean {
  if (!withForm.has(method) || bodyState === "none") return false;
  return bodyState !== "passed" || !/^application\/json[ \t]*(;|$)/i.test(contentType);
}
