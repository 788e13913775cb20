/** That whoever wants what is denied finds no other words for it. */
import { equal } from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { RequestFacts } from "../../../authz/index.ts";
import { authzProtocol } from "../../../protocol/index.ts";
import { needsRestart, needsWire, wireOf } from "../../protocol/driver-kit.ts";
import { describeAnswer } from "../../wire/answers.ts";
import {
  assertDenied,
  type AuthzCheck,
  type AuthzContext,
  deniedOf,
  needsDenied,
  needsDeniedBody,
} from "../context.ts";

const { authZReq } = authzProtocol.methods;
const bypassed = "Whoever reaches the engine's socket does what the policy denies, by asking in other words.";

type Variant = readonly [what: string, facts: RequestFacts];

/** One check that asks for what is denied in other words; those that are the same words test nothing. */
const otherwise = (
  id: string,
  title: string,
  source: string,
  needs: NonNullable<AuthzCheck["needs"]>,
  variants: (denied: RequestFacts) => readonly Variant[],
): AuthzCheck => {
  const changed = (denied: RequestFacts) => variants(denied).filter(([, facts]) => !isDeepStrictEqual(facts, denied));
  return {
    id: `closed/${id}`,
    title,
    source,
    symptom: bypassed,
    needs(context) {
      const reason = needs(context);
      if (reason !== undefined || changed(deniedOf(context)).length > 0) return reason;
      return "the request that is denied cannot be put in other words of this kind";
    },
    async run(context) {
      for (const [what, facts] of changed(deniedOf(context))) await assertDenied(context, facts, what);
    },
  };
};

export const closedChecks: readonly AuthzCheck[] = [
  {
    id: "closed/no-request",
    title: "allows nothing where there is no request: no body, {} and null",
    source: "moby v20.10.24 pkg/plugins/client.go callWithRetry: what Docker asks again has no body any more",
    symptom: "While the plugin is started anew, what is asked is allowed whatever it is.",
    needs: needsWire,
    run: (context) => assertNotAllowed(context, ["", "{}", "null"]),
  },
  {
    id: "closed/malformed",
    title: "allows nothing that it cannot read: broken JSON, what is none, fields of another type",
    source: "moby v20.10.24 pkg/authorization/api.go; go1.19 encoding/json",
    symptom: "A request that the plugin trips over is done.",
    needs: needsWire,
    run: (context) =>
      assertNotAllowed(context, [
        '{"RequestMethod":"GET","RequestUri":',
        "RequestMethod=GET",
        '{"RequestMethod":"GET","RequestUri":{"a":[1]}}',
        '{"RequestMethod":["GET"],"RequestUri":"/_ping"}',
        '{"RequestMethod":"POST","RequestUri":"/v1.41/containers/create","RequestBody":"***"}',
      ]),
  },
  otherwise(
    "other-version",
    "denies the same request in other versions of the API, and without one",
    "moby v20.10.24 api/server/server.go createMux: every route twice, with and without version",
    needsDenied,
    (denied) =>
      ["/v1.24", "/v1.30", "/v1.99", ""].map((version) => [
        version === "" ? "without a version" : `in ${version.slice(1)}`,
        { ...denied, uri: version + denied.uri.replace(/^\/v[\d.]+(?=\/)/, "") },
      ]),
  ),
  otherwise(
    "escaped-path",
    "denies the same request with letters of its path escaped",
    "go1.19 net/url URL.Path, by which moby v20.10.24 api/server/router finds what to do",
    needsDenied,
    (denied) => [
      ["with its path escaped", { ...denied, uri: escapePath(denied.uri, /[a-z](?=[^/]*$)/) }],
      ["with all of its path escaped", { ...denied, uri: escapePath(denied.uri, /[a-z]/g) }],
    ],
  ),
  otherwise(
    "absolute-uri",
    "denies the same request with an absolute URI",
    "RFC 9112 3.2.2; go1.19 net/http Request.RequestURI, which is as the client wrote it",
    needsDenied,
    (denied) => [["with an absolute URI", { ...denied, uri: `http://docker${denied.uri}` }]],
  ),
  otherwise(
    "more-query",
    "denies the same request with more in its query",
    "moby v20.10.24 api/server/httputils/httputils.go ParseForm",
    needsDenied,
    (denied) =>
      ["x=1", "name=web", "%zz"].map((more) => [
        `with ${more} in its query`,
        { ...denied, uri: `${denied.uri}${denied.uri.includes("?") ? "&" : "?"}${more}` },
      ]),
  ),
  otherwise(
    "field-case",
    "denies the same request with the names of its fields in other letters",
    "go1.19 encoding/json/decode.go, which takes hostconfig for HostConfig",
    needsDeniedBody,
    (denied) => [
      ...renamed(denied, "with small letters", (name) => name.toLowerCase()),
      ...renamed(denied, "with capital letters", (name) => name.toUpperCase()),
    ],
  ),
  otherwise(
    "field-twice",
    "denies the same request with its fields given again, empty",
    "go1.19 encoding/json/decode.go, which reads the second object into the first",
    needsDeniedBody,
    (denied) => {
      const text = textOf(denied);
      const read = readJson(text);
      const fields = typeof read !== "object" || read === null || Array.isArray(read) ? [] : Object.entries(read);
      if (fields.length === 0) return [];
      const again = fields.map(
        ([name, value]) =>
          `${JSON.stringify(name)}:${typeof value === "object" && value !== null ? emptyOf(value) : "null"}`,
      );
      const body = `${text.trimEnd().slice(0, -1)},${again.join(",")}}`;
      return [["with its fields given twice", withBody(denied, body)]];
    },
  ),
  otherwise(
    "content-type",
    "denies the same request with more in its Content-Type",
    "moby v28.5.2 pkg/authorization/authz.go sendBody, which parses the media type",
    needsDeniedBody,
    (denied) =>
      ["application/json; charset=utf-8", "application/json;x=y"].map((type) => [
        `as ${type}`,
        { ...denied, headers: { ...denied.headers, "Content-Type": type } },
      ]),
  ),
  otherwise(
    "body-missing",
    "denies the same request where Docker hands on no body: too long, in chunks, or said to be of no length",
    "moby v20.10.24 pkg/authorization/authz.go AuthZRequest (maxBodySize); CVE-2024-41110 (GHSA-v23v-6jw2-98fq)",
    needsDeniedBody,
    (denied) => {
      const { "Content-Length": _length, ...headers } = denied.headers;
      const without = (more: object): RequestFacts => ({
        ...denied,
        body: undefined,
        headers: { ...headers, ...more },
      });
      return [
        ["of 2 MiB, of which the plugin sees nothing,", without({ "Content-Length": String(2 * 1024 * 1024) })],
        ["in chunks, of which the plugin sees nothing,", without({})],
        ["with a Content-Length of 0", without({ "Content-Length": "0" })],
      ];
    },
  ),
  {
    id: "restart/denied",
    title: "a plugin that is killed denies afterwards what it denied",
    source: "kill(2) SIGKILL",
    symptom: "After a crash or an update of the plugin everything is allowed.",
    makes: "new processes of the plugin",
    needs: (context) => needsRestart(context) ?? needsDenied(context),
    async run(context) {
      await context.killAndRestart?.();
      await assertDenied(context, deniedOf(context), "after a restart");
    },
  },
];

/** A failure of any kind, or a decision that is no yes. */
async function assertNotAllowed(context: AuthzContext, bodies: readonly string[]): Promise<void> {
  for (const body of bodies) {
    const answer = await wireOf(context).post(authZReq.path, body);
    const isAllowed = answer.status === 200 && /"allow"\s*:\s*true/i.test(answer.body.toString());
    equal(isAllowed, false, `${JSON.stringify(body)} is answered ${describeAnswer(answer)}`);
  }
}

const textOf = ({ body }: RequestFacts): string => body?.toString() ?? "{}";

function withBody(facts: RequestFacts, text: string): RequestFacts {
  const body = Buffer.from(text);
  return { ...facts, body, headers: { ...facts.headers, "Content-Length": String(body.length) } };
}

function escapePath(uri: string, letters: RegExp): string {
  const [path = "", ...query] = uri.split("?");
  const [, version = "", rest = ""] = /^(\/v[\d.]+)?(.*)$/.exec(path) ?? [];
  const escaped = rest.replace(letters, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
  return [version + escaped, ...query].join("?");
}

/** `undefined` of what is none. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** With the names of all fields changed, where that makes a difference. */
function renamed(denied: RequestFacts, what: string, change: (name: string) => string): readonly Variant[] {
  const read = readJson(textOf(denied));
  const mapped = mapFields(read, change);
  return isDeepStrictEqual(mapped, read) ? [] : [[what, withBody(denied, JSON.stringify(mapped))]];
}

/** The names of all fields changed, at any depth. */
function mapFields(value: unknown, change: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => mapFields(one, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [change(name), mapFields(inner, change)]));
}

/** What Go reads into an object that is there without changing it. An array it would empty. */
const emptyOf = (value: object): string => (Array.isArray(value) ? JSON.stringify(value) : "{}");
