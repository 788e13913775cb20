/** What any plugin could get wrong on the wire, one thing each. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { VolumeDriver } from "../volume/index.ts";
import type { Received, Wrongs as WrongsOf } from "./faulty-plugin.test.support.ts";
import { type Answer, dying, type Fault, isOf, no } from "./planted-fault.test.support.ts";
import { engineDialects } from "./wire/engine-dialects.ts";

type Wrongs = WrongsOf<VolumeDriver>;

const isActivation = ({ path }: Received) => path === "/Plugin.Activate";
const isQuestion = ({ path }: Received) => /List$|Capabilities$/.test(path);
const [activations, asked] = ["plugin/activate-", "VolumeDriver/asked-by-"].map((prefix) =>
  engineDialects.map(({ id }) => `${prefix}${id}`),
) as [string[], string[]];
const ofProtocol = (...ids: string[]) => ids.map((id) => `VolumeDriver/${id}`);

/** A plugin that ends by something that is no call. */
const dyingOf = (listen: (server: Parameters<NonNullable<Wrongs["onServer"]>>[0], die: () => void) => void): Wrongs => {
  let isDead = false;
  return { onServer: (server) => listen(server, () => (isDead = true)), answer: () => (isDead ? "never" : undefined) };
};

/** Fails the call that is the `nth` of its kind. */
const failingOnce = (nth: number, isMeant: (received: Received) => boolean, answer = no(500)): Answer => {
  let calls = 0;
  return (received) => (isMeant(received) && ++calls === nth ? answer : undefined);
};

export const wireFaults: readonly Fault[] = [
  {
    title: "it wants a Host",
    wrongs: { answer: ({ headers }) => (headers.host === "" ? no(400) : undefined) },
    found: [activations[0], asked[0]] as string[],
  },
  {
    title: "it does not like the Host of later Dockers",
    wrongs: { answer: ({ headers }) => (headers.host === "plugin.moby.localhost" ? no(400) : undefined) },
    found: [activations[1], asked[1]] as string[],
    leaves: false,
  },
  {
    title: "it does not know the type of plugins",
    wrongs: { answer: ({ headers }) => (headers["content-type"] === undefined ? undefined : no(415)) },
    found: [activations[2], asked[2]] as string[],
  },
  {
    title: "it takes any path for a question",
    wrongs: { answer: ({ path }) => (path.includes("NoSuchMethod") ? [200, "{}"] : undefined) },
    found: ["plugin/unknown-method", "VolumeDriver/unknown-method"],
  },
  {
    title: "it announces something else",
    wrongs: { answer: (received) => (isActivation(received) ? [200, '{"Implements":["Other"]}'] : undefined) },
    found: ["VolumeDriver/announced"],
  },
  {
    title: "it lacks a method",
    wrongs: { answer: (received) => (isOf(received, "Path") ? no(404) : undefined) },
    found: ofProtocol("methods", "unknown-subject", "malformed", "not-json", "wrong-types"),
  },
  {
    title: "it closes idle connections",
    wrongs: { server: { keepAliveTimeout: 100, keepAliveTimeoutBuffer: 0 } as object },
    found: ["plugin/idle-connection"],
    leaves: false,
  },
  {
    title: "it closes each connection after a call",
    wrongs: {
      onServer: (server) =>
        server.prependListener("request", (_: IncomingMessage, response: ServerResponse) => {
          response.shouldKeepAlive = false;
        }),
    },
    found: ["plugin/idle-connection", "plugin/reused-connection"],
  },
  {
    title: "it answers something else when it is asked often",
    wrongs: { answer: failingOnce(40, isActivation, [200, '{"Implements":["VolumeDriver","Other"]}']) },
    found: ["plugin/many-callers"],
    leaves: false,
  },
  {
    title: "it serves 32 connections at most",
    wrongs: { onServer: (server) => (server.maxConnections = 32) },
    found: ["plugin/silent-callers"],
    leaves: false,
  },
  {
    title: "it hangs up when its caller's half is closed",
    wrongs: {
      onServer: (server) =>
        server.on("connection", (socket) => socket.on("end", () => socket.destroy())).on("request", () => {}),
      answer: ({ headers }) =>
        headers.host === "plugin" && headers.accept === undefined && !headers["user-agent"] ? "never" : undefined,
    },
    found: ["plugin/half-closed"],
  },
  {
    title: "it ends with a body that breaks off",
    wrongs: dyingOf((server, die) =>
      server.prependListener("request", (request: IncomingMessage) => request.on("error", die)),
    ),
    found: ["plugin/broken-body"],
    leaves: false,
  },
  {
    title: "it ends with a caller that does not wait",
    wrongs: { answer: dying(({ headers }) => headers.host === "x") },
    found: ["plugin/abandoned-call"],
    leaves: false,
  },
  {
    title: "it ends with what is not HTTP",
    wrongs: dyingOf((server, die) => server.on("clientError", die)),
    found: ["plugin/not-http"],
    leaves: false,
  },
  {
    title: "it wants a body",
    wrongs: { answer: (received) => (isQuestion(received) && received.body === "" ? no(400) : undefined) },
    found: [...ofProtocol("empty-body"), asked[2] as string].toReversed(),
  },
  {
    title: "it trips over null",
    wrongs: { answer: ({ body }) => (body === "null" ? no(500) : undefined) },
    found: ofProtocol("null-body"),
  },
  {
    title: "it refuses fields that it does not know",
    wrongs: { answer: ({ body }) => (body.includes("Later") ? no(400) : undefined) },
    found: ofProtocol("unknown-fields"),
  },
  {
    title: "it fails when it is asked often",
    wrongs: { answer: failingOnce(20, isQuestion) },
    found: ofProtocol("together"),
    leaves: false,
  },
  {
    title: "it minds the case of fields",
    wrongs: { answer: ({ body }) => (/"(name|NAME)"/.test(body) ? no(400) : undefined) },
    found: ofProtocol("field-case"),
  },
  {
    title: "it says why in plain text",
    wrongs: { answer: ({ body }) => (/"cleat-check-nobody"/.test(body) ? no(500, "not here") : undefined) },
    found: ofProtocol("unknown-subject"),
  },
  ...[
    ["malformed", '{"Name":'],
    ["not-json", "Name=data&ID=1"],
    ["wrong-types", '{"Name":{"a":[1]}}'],
  ].map(([id = "", wrong]): Fault => ({
    title: `it takes a request that is ${id}`,
    wrongs: { answer: ({ body }) => (body === wrong ? [200, "{}"] : undefined) },
    found: ofProtocol(id),
  })),
  {
    title: "it never answers a large request",
    wrongs: { answer: ({ body }) => (body.length > 2 ** 20 ? "never" : undefined) },
    found: ofProtocol("huge-body"),
  },
  {
    title: "it ends with a request that is nested deep",
    wrongs: { answer: dying(({ body }) => body.includes("[[[[[[")) },
    found: ofProtocol("deep-body"),
    leaves: false,
  },
];
