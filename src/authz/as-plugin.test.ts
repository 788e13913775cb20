import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { authzProtocol, decodeGoJson, pluginProtocol } from "../protocol/index.ts";
import { createHandler, createMemoryTransport, silentLogger } from "../transport/index.ts";
import { connectAuthz, factsOf, withJson } from "./authz.test.support.ts";
import {
  allow,
  type ApiRequest,
  createAuthorizer,
  createAuthorizerFromPlugin,
  createAuthzPlugin,
  deny,
  type Policy,
  type PolicyOptions,
} from "./index.ts";

const certificate = new X509Certificate(readFileSync("test/fixtures/tls/client.pem"));
const info = factsOf("GET", "/v1.41/info");
const quiet = (policy: Policy, more: Partial<PolicyOptions> = {}) => ({ policy, logger: silentLogger, ...more });

describe("a policy behind the protocol", () => {
  it("is told everything, and decides", async () => {
    const seen: ApiRequest[] = [];
    const authorizer = await connectAuthz(
      quiet(
        (request) => {
          seen.push(request);
          return request.user === "alice" ? allow : deny("only alice");
        },
        { onResponse: (_, { statusCode, body }) => (statusCode === 200 ? allow : deny(String(body))) },
      ),
    );
    const facts = factsOf("POST", "/v1.41/containers/create?name=x", {
      ...withJson('{"Image":"small"}'),
      user: "alice",
      authenticationMethod: "TLS",
      peerCertificates: [certificate],
    });
    expect(await authorizer.authorizeRequest(facts)).toEqual({ allow: true });
    expect(seen[0]?.facts).toEqual({ ...facts, peerCertificates: [expect.any(X509Certificate)] });
    expect(seen[0]?.peerCertificates[0]?.fingerprint256).toBe(certificate.fingerprint256);
    expect(await authorizer.authorizeRequest({ ...facts, user: "bob" })).toEqual({
      allow: false,
      reason: "only alice",
    });
    const answer = { statusCode: 200, headers: {}, body: Buffer.from("secret") };
    expect(await authorizer.authorizeResponse(facts, answer)).toEqual({ allow: true });
    expect(await authorizer.authorizeResponse(facts, { ...answer, statusCode: 404 })).toEqual(deny("secret"));
  });

  it("lets answers pass where it has no rules for them", async () => {
    const authorizer = await connectAuthz(quiet(() => deny("all")));
    expect(await authorizer.authorizeResponse(info, { statusCode: 200, headers: {}, body: undefined })).toEqual(allow);
  });

  it("is announced as Docker looks for it", async () => {
    const transport = createMemoryTransport(
      createHandler([
        { protocol: pluginProtocol, implementation: { activate: async () => ({ Implements: ["AuthZPlugin"] }) } },
      ]),
    );
    await expect(createAuthorizerFromPlugin(transport, { name: "p" })).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
  });

  it.each([undefined, {}, { policy: 7 }, { authorizer: {} }])("is not made of %o", (what) => {
    expect(() => createAuthzPlugin(what as never)).toThrow();
  });
});

describe("what goes wrong denies", () => {
  it.each<[string, Policy, string]>([
    [
      "throws",
      () => {
        throw new Error("secret");
      },
      "the policy failed",
    ],
    ["rejects", () => Promise.reject(new Error("secret")), "the policy failed"],
    [
      "throws nothing",
      () => {
        throw undefined;
      },
      "the policy failed",
    ],
    ["answers nothing", () => undefined as never, "the policy failed"],
    ["answers true", () => true as never, "the policy failed"],
    ["answers something true", () => ({ allow: "yes" }) as never, "the policy failed"],
    ["denies without a reason", () => ({ allow: false }) as never, "no reason given"],
    ["waits for ever", () => new Promise(() => {}), "policy on GET /v1.41/info gave no answer within 20 ms"],
  ])("where the policy %s", async (_, policy, reason) => {
    const authorizer = createAuthorizer(quiet(policy, { timeoutMs: 20 }));
    expect(await authorizer.authorizeRequest(info)).toEqual({ allow: false, reason });
    const answers = createAuthorizer(quiet(() => allow, { onResponse: policy as never, timeoutMs: 20 }));
    const answer = { statusCode: 200, headers: {}, body: undefined };
    expect(await answers.authorizeResponse(info, answer)).toEqual({ allow: false, reason });
  });

  it("where the URI is none, before a policy that allows everything is asked", async () => {
    const authorizer = createAuthorizer(quiet(() => allow));
    const { allow: isAllowed } = await authorizer.authorizeRequest(factsOf("POST", "/v1.41/../containers/create"));
    expect(isAllowed).toBe(false);
  });

  it("where nobody waits any more", async () => {
    const authorizer = createAuthorizer(quiet(() => allow));
    const decision = await authorizer.authorizeRequest(info, { signal: AbortSignal.abort() });
    expect(decision.allow).toBe(false);
  });

  const send = async (body: string | Buffer) => {
    const { service } = createAuthzPlugin(quiet(() => allow));
    const handler = createHandler([service], { logger: silentLogger });
    const { path } = authzProtocol.methods.authZReq;
    const signal = AbortSignal.timeout(9_000);
    return handler({ path, query: {}, body: Buffer.from(body), signal });
  };
  it.each([
    ["of no fields", "{}"],
    ["that is empty", ""],
    ["that is null", "null"],
  ])("in a message %s", async (_, body) => {
    const reply = await send(body);
    expect(
      decodeGoJson(authzProtocol.methods.authZReq.response, reply.body as Buffer, "answer", "DATA_LOSS").Allow,
    ).toBe(false);
  });

  it.each([
    ["that is no JSON", '{"RequestUri":', 400],
    ["whose certificate is none", '{"RequestUri":"/info","RequestPeerCertificates":["AAAA"]}', 400],
    ["whose body is no base64", '{"RequestUri":"/info","RequestBody":"§"}', 400],
    ["that is too long", Buffer.alloc(16 * 1024 * 1024 + 1, "x"), 413],
  ])("in a message %s, with another status than 200", async (_, body, status) => {
    expect((await send(body)).status).toBe(status);
  });

  it("and the longest body that Docker hands on is read", async () => {
    const RequestBody = Buffer.alloc(4 * 1024 * 1024, "x").toString("base64");
    expect((await send(JSON.stringify({ RequestUri: "/info", RequestBody }))).status).toBe(200);
  });
});
