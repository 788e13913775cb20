/** That engines get decisions to all that they ask. */
import { X509Certificate } from "node:crypto";
import { equal, ok } from "node:assert/strict";
import type { RequestFacts } from "../../../authz/index.ts";
import { authzProtocol } from "../../../protocol/index.ts";
import { needsWire, wireOf } from "../../driver-kit.ts";
import { dialectsOf } from "../../wire/engine-dialects.ts";
import { type StoryStep, tellStory } from "../../wire/engine-story.ts";
import { type AuthzCheck, deniedOf, requestFacts, needsDenied } from "../context.ts";
import { checkedCertificate } from "./checked-certificate.ts";

const { authZReq, authZRes } = authzProtocol.methods;
const authz = "moby v20.10.24 pkg/authorization/authz.go";
const ping = requestFacts("GET", "/_ping");

export const decisionChecks: readonly AuthzCheck[] = [
  {
    id: "decide/why",
    title: "says why when it denies",
    source: `${authz} newAuthorizationError`,
    symptom: 'Users read "authorization denied by plugin NAME: " and nothing more.',
    needs: needsDenied,
    async run(context) {
      const decision = await context.authorizer.authorizeRequest(deniedOf(context));
      ok(!decision.allow && decision.reason.trim() !== "", "denied without a reason");
    },
  },
  {
    id: "decide/same",
    title: "decides the same when it is asked 32 times at once",
    source: "moby v20.10.24 pkg/authorization/middleware.go: each call of the API asks on its own",
    symptom: "The same command works at times, and is denied or allowed wrongly at others.",
    async run({ authorizer, denied = ping }) {
      const { allow } = await authorizer.authorizeRequest(denied);
      const all = await Promise.all(Array.from({ length: 32 }, () => authorizer.authorizeRequest(denied)));
      equal(all.filter((decision) => decision.allow !== allow).length, 0, "some of 32 were decided otherwise");
    },
  },
  {
    id: "decide/certificates",
    title: "decides about a client with a certificate",
    source: "moby v20.10.24 pkg/authorization/api.go PeerCertificate: PEM in base64",
    symptom: "Everything is denied as soon as the engine listens on TCP with TLS.",
    async run({ authorizer }) {
      const certificates = [new X509Certificate(checkedCertificate)];
      const facts = { ...ping, user: "cleat-check", authenticationMethod: "TLS", peerCertificates: certificates };
      await authorizer.authorizeRequest(facts);
    },
  },
  {
    id: "decide/large-request",
    title: "decides about a request whose body is just under 4 MiB",
    source: "moby v29.3.1 pkg/authorization/authz.go (GHSA-x744-4wpc-v9h2); 20.10 hands on up to 1 MiB",
    symptom: "docker build, docker config create and other long requests are denied.",
    async run({ authorizer }) {
      const body = JSON.stringify({ Data: "a".repeat(4 * 1024 * 1024 - 1024) });
      await authorizer.authorizeRequest(requestFacts("POST", "/v1.41/configs/create", body));
    },
  },
  {
    id: "decide/large-answer",
    title: "decides about an answer of 8 MiB",
    source: `${authz} AuthZResponse: all that the engine has written at once`,
    symptom: "docker ps, docker images and docker inspect are denied on a host with many of them.",
    async run({ authorizer }) {
      const body = Buffer.from(JSON.stringify(["a".repeat(8 * 1024 * 1024)]));
      const response = { statusCode: 200, headers: { "Content-Type": "application/json" }, body };
      await authorizer.authorizeResponse(requestFacts("GET", "/v1.41/containers/json?all=1"), response);
    },
  },
  {
    id: "decide/streamed-answer",
    title: "decides about an answer of which there is neither status nor body",
    source: "recorded (test/golden): docker load, docker wait and docker attach",
    symptom: "docker load, docker logs and docker run fail when they have done their work.",
    async run({ authorizer }) {
      const facts = requestFacts("POST", "/v1.41/images/load?quiet=1");
      await authorizer.authorizeResponse(facts, { statusCode: 0, headers: {}, body: undefined });
    },
  },
  ...dialectsOf(authzProtocol).map((dialect): AuthzCheck => {
    const versions = dialect.versions.join(", ");
    return {
      id: `engine/${dialect.id}-decisions`,
      title: `decides about all that ${versions} ask for docker run`,
      source: `${versions}, recorded (test/golden)`,
      symptom: `docker run fails on ${versions} with an error of the plugin's.`,
      needs: needsWire,
      run: (context) => tellStory(wireOf(context), dialect, runStory(dialect.id === "docker-20.10" ? "1.41" : "1.51")),
    };
  }),
];

/** As Docker's client does it; fields that are empty are left out. */
function runStory(version: string): readonly StoryStep[] {
  const id = "5628".padEnd(64, "a");
  const create = requestFacts("POST", `/v${version}/containers/create`, createBody);
  const start = requestFacts("POST", `/v${version}/containers/${id}/start`);
  const attach = requestFacts("POST", `/v${version}/containers/${id}/attach?stderr=1&stdout=1&stream=1`);
  const wait = requestFacts("POST", `/v${version}/containers/${id}/wait?condition=removed`);
  const upgrade = { Connection: "Upgrade", Upgrade: "tcp", "Content-Length": "0", "Content-Type": "text/plain" };
  const head = requestFacts("HEAD", "/_ping");
  return [
    ask(head),
    answer(head, { ResponseHeaders: { "Content-Length": "0", "Api-Version": version } }),
    ask(create),
    answer(create, {
      ResponseStatusCode: 201,
      ResponseHeaders: { "Content-Type": "application/json" },
      ResponseBody: Buffer.from(JSON.stringify({ Id: id, Warnings: [] })).toString("base64"),
    }),
    ask({ ...attach, headers: { ...attach.headers, ...upgrade } }),
    ask(wait),
    ask(start),
    answer(start, { ResponseStatusCode: 204 }),
    answer(attach, {}),
    answer(wait, {}),
  ];
}

const createBody = JSON.stringify({
  Hostname: "",
  AttachStdin: false,
  AttachStdout: true,
  Tty: false,
  Env: null,
  Cmd: ["true"],
  Image: "small",
  HostConfig: { Binds: null, NetworkMode: "none", RestartPolicy: { Name: "no" }, AutoRemove: true, Privileged: false },
});

function ask(facts: RequestFacts): StoryStep {
  return { method: authZReq, request: () => toWire(facts) };
}

function answer(facts: RequestFacts, response: object): StoryStep {
  return { method: authZRes, request: () => ({ ...toWire(facts), ...response }) };
}

function toWire({ method, uri, headers, body }: RequestFacts): object {
  return {
    RequestMethod: method,
    RequestUri: uri,
    ...(body !== undefined && { RequestBody: body.toString("base64") }),
    RequestHeaders: headers,
  };
}
