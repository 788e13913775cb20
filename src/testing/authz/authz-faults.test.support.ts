/** What an authorization plugin could get wrong, one thing each: most of it was in plugins that people use. */
import { allow, type Authorizer, type Decision, deny, type RequestFacts } from "../../authz/index.ts";
import { cut, type Fault, faultsOf, no } from "../planted-fault.test.support.ts";
import { engineDialects } from "../wire/engine-dialects.ts";

const { planted, answered } = faultsOf<Authorizer>();
const docker = engineDialects.filter(({ id }) => id.startsWith("docker"));
const privileged = "privileged containers are not allowed";

/** A policy that reads as its author thought that Docker does. */
const naive = (title: string, isDenied: (facts: RequestFacts) => boolean, found: readonly string[]) =>
  planted(
    title,
    () => ({
      authorizeRequest: async (facts): Promise<Decision> => (isDenied(facts) ? deny(privileged) : allow),
    }),
    found,
    cut,
  );

const isCreate = ({ uri }: RequestFacts) =>
  /^(http:\/\/[^/]*)?(\/v[\d.]+)?\/containers\/create(\?|$)/.test(decode(uri));
const decode = (uri: string) =>
  (uri.split("?")[0] ?? "").replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
const hasPrivileged = ({ body }: RequestFacts) =>
  body === undefined || /"privileged"\s*:\s*true/i.test(body.toString());
const parsed = ({ body }: RequestFacts) =>
  JSON.parse(body?.toString() ?? "{}") as { HostConfig?: { Privileged?: boolean } };

export const authzFaults: readonly Fault<Authorizer>[] = [
  answered(
    "it denies without a word",
    ({ body }) => (body.includes("AuthZ") || !body.includes("RequestBody") ? undefined : [200, '{"Allow":false}']),
    ["decide/why"],
    cut,
  ),
  planted(
    "it allows what comes while it decides",
    (right) => {
      let deciding = 0;
      return {
        async authorizeRequest(facts) {
          if (++deciding > 8) return allow;
          const decision = await right.authorizeRequest(facts);
          await new Promise((resolve) => setTimeout(resolve, 20));
          deciding--;
          return decision;
        },
      };
    },
    ["decide/same"],
    cut,
  ),
  answered(
    "it trips over certificates",
    ({ body }) => (body.includes('RequestPeerCertificates":["') ? no(500) : undefined),
    ["decide/certificates"],
  ),
  answered("it reads a mebibyte", ({ body }) => (body.length > 2 ** 20 ? no(413) : undefined), [
    "decide/large-request",
    "decide/large-answer",
  ]),
  answered(
    "it wants a status of every answer",
    ({ path, body }) => (path.endsWith("AuthZRes") && !/"ResponseStatusCode":[1-9]/.test(body) ? no(500) : undefined),
    ["decide/streamed-answer", ...docker.map(({ id }) => `engine/${id}-decisions`)],
  ),
  ...docker.map(({ id, headers }) =>
    answered(
      `it fails ${id}`,
      ({ path, headers: sent }) =>
        path.includes("AuthZ") && sent.host === headers["Host"] && sent["user-agent"] !== undefined
          ? no(500)
          : undefined,
      [`engine/${id}-decisions`],
      cut,
    ),
  ),
  answered(
    "what asks for nothing is allowed",
    ({ path, body }) =>
      path.endsWith("AuthZReq") && ["", "{}", "null"].includes(body) ? [200, '{"Allow":true}'] : undefined,
    ["closed/no-request"],
    cut,
  ),
  answered(
    "what cannot be read is allowed",
    ({ path, body }) => {
      if (!path.endsWith("AuthZReq")) return undefined;
      try {
        JSON.parse(body || "{}");
        return undefined;
      } catch {
        return [200, '{"Allow": true}'];
      }
    },
    ["closed/malformed"],
    cut,
  ),
  naive(
    "it knows one version of the API",
    (facts) =>
      facts.uri.startsWith("/v1.41/") || !facts.uri.startsWith("/v") ? isCreate(facts) && hasPrivileged(facts) : false,
    ["closed/other-version"],
  ),
  naive(
    "it compares paths as they are written",
    (facts) => /\/containers\/create(\?|$)/.test(facts.uri) && hasPrivileged(facts),
    ["closed/escaped-path"],
  ),
  naive(
    "it compares paths from their beginning",
    (facts) => !facts.uri.startsWith("http") && isCreate(facts) && hasPrivileged(facts),
    ["closed/absolute-uri"],
  ),
  naive("it compares whole URIs", (facts) => !facts.uri.includes("?") && isCreate(facts) && hasPrivileged(facts), [
    "closed/more-query",
  ]),
  naive(
    "it knows fields by their letters",
    (facts) => isCreate(facts) && (facts.body === undefined || /"Privileged":true/.test(facts.body.toString())),
    ["closed/field-case"],
  ),
  naive(
    "it reads JSON as JavaScript does",
    (facts) => isCreate(facts) && (facts.body === undefined || parsed(facts).HostConfig?.Privileged === true),
    ["closed/field-case", "closed/field-twice"],
  ),
  naive(
    "it looks into bodies of one type only",
    (facts) =>
      isCreate(facts) &&
      (facts.body === undefined || facts.headers["Content-Type"] === "application/json") &&
      hasPrivileged(facts),
    ["closed/content-type"],
  ),
  naive(
    "no body is nothing to look into",
    (facts) => isCreate(facts) && facts.body !== undefined && hasPrivileged(facts),
    ["closed/body-missing"],
  ),
  planted("another process has no policy yet", lackingPolicy(), ["restart/denied"], cut),
];

function lackingPolicy() {
  let processes = 0;
  return (): Partial<Authorizer> => (processes++ === 0 ? {} : { authorizeRequest: async () => allow });
}
