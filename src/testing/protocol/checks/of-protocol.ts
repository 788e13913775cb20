/**
 * What a plugin that speaks a protocol must do, derived from the protocol's table: nothing here knows a method's name.
 */
import { equal, ok } from "node:assert/strict";
import { announcedName, type JsonMethod, type Method, type Protocol } from "../../../protocol/index.ts";
import { assertFailure, assertFailureShape, assertSuccess, describeAnswer } from "../../wire/answers.ts";
import { bodyWithoutArguments, dialectsOf, type EngineDialect } from "../../wire/engine-dialects.ts";
import type { WireAnswer } from "../../wire/plugin-peer.ts";
import type { WireCheck, WireContext } from "../context.ts";
import { argumentsAbout, lookUpsOf, needyMethodsOf, questionsOf } from "../method-facts.ts";

/** Nothing is called so. */
const nobody = "cleat-check-nobody";
const goJson = "go1.19 encoding/json/decode.go, by which most plugins read";
const survives = "One odd request ends the plugin, and what it serves, for every container.";

/** The checks of a protocol; those for which it has no method are left out. */
export function checksOfProtocol(protocol: Protocol): readonly WireCheck[] {
  const [questions, lookUps, needy] = [questionsOf(protocol), lookUpsOf(protocol), needyMethodsOf(protocol)];
  const table = Object.values(protocol.methods)[0]?.source ?? "";
  return [
    ...presence(protocol, table),
    ...(questions.length > 0 ? ofQuestions(protocol, questions, table) : []),
    ...(lookUps.length > 0 ? ofLookUps(protocol, lookUps) : []),
    ...(needy.length > 0 ? ofBadRequests(protocol, needy) : []),
  ];
}

function presence(protocol: Protocol, source: string): readonly WireCheck[] {
  const { name } = protocol;
  return [
    {
      id: `${name}/announced`,
      title: `lists ${announcedName(protocol)} in its manifest`,
      source: "moby v20.10.24 pkg/plugins/plugins.go",
      symptom: `"plugin … does not implement the requested interface".`,
      async run({ activate }) {
        const listed = await activate();
        ok(listed.includes(announcedName(protocol)), `lists ${listed.join(", ") || "nothing"}`);
      },
    },
    {
      id: `${name}/unknown-method`,
      title: `answers 404 to a method of ${name} that is not there`,
      source: "moby v20.10.24 pkg/plugins/client.go IsNotFound",
      symptom: "An engine that asks for a later method takes the plugin for broken instead of older.",
      async run({ post }) {
        const { status } = await post(`/${name}.CleatCheckNoSuchMethod`, "{}");
        equal(status, 404);
      },
    },
    {
      id: `${name}/methods`,
      title: `knows every method of ${name} that engines call without asking first`,
      source,
      symptom: `Engines fail with "404 page not found" as soon as they call the method that is missing.`,
      async run({ post }) {
        const harmless = [...questionsOf(protocol), ...needyMethodsOf(protocol)];
        const paths = harmless.filter(({ optional }) => optional !== true).map(({ path }) => path);
        const missing: string[] = [];
        for (const path of paths) if ((await post(path, "{")).status === 404) missing.push(path);
        equal(missing.join(", "), "");
      },
    },
  ];
}

function ofQuestions(protocol: Protocol, questions: readonly JsonMethod[], source: string): readonly WireCheck[] {
  const { name } = protocol;
  const dialects = dialectsOf(protocol);
  const alike = (id: string, title: string, bodies: readonly string[], facts: Partial<WireCheck>): WireCheck => ({
    id: `${name}/${id}`,
    title,
    ...facts,
    async run(context) {
      for (const method of questions) {
        const usual = await ask(context, method, "{}");
        for (const body of bodies) assertAlike(method, usual, await ask(context, method, body), body);
      }
    },
  });
  return [
    ...dialects.map((dialect): WireCheck => ({
      id: `${name}/asked-by-${dialect.id}`,
      title: `answers what ${dialect.versions.join(", ")} ask, as they send it`,
      source: dialect.source,
      symptom: `With ${dialect.versions.join(", ")} the plugin fails, or is taken for another kind than it is.`,
      async run(context) {
        for (const method of questions) await assertAsked(context, method, dialect, dialects);
      },
    })),
    alike("empty-body", "takes an empty body for no arguments", [""], {
      source:
        "recorded (test/golden): moby v20.10.24 pkg/plugins/client.go Call(nil); podman v4.3.1 sendRequest(nil, …)",
      symptom: "Engines that send no body where there are no arguments get EOF or a status of 400.",
      ...(dialects.every((dialect) => bodyWithoutArguments(dialect, name) !== "") && {
        advice: true,
        symptom: noneToday,
      }),
    }),
    alike("null-body", "takes null for no arguments", ["null"], { source: goJson, advice: true, symptom: noneToday }),
    alike("unknown-fields", "passes over fields that it does not know", ['{"Later":{"a":[1,null]},"New":"x"}'], {
      source,
      symptom: "The plugin fails with the next release of an engine, which adds a field.",
    }),
    {
      id: `${name}/together`,
      title: "answers 32 callers at once as it answers one",
      source: "go1.19 net/http Transport: one connection for each call that runs",
      symptom: "Containers that are started together fail, and each succeeds alone.",
      async run(context) {
        for (const method of questions) {
          const usual = await ask(context, method, "{}");
          const answers = await Promise.all(Array.from({ length: 32 }, () => ask(context, method, "{}")));
          for (const answer of answers) assertAlike(method, usual, answer, "{}");
        }
      },
    },
  ];
}

/** A success, or at least no failure where others have a success. */
async function assertAsked(
  { post }: WireContext,
  { path, response, optional }: JsonMethod,
  dialect: EngineDialect,
  dialects: readonly EngineDialect[],
): Promise<void> {
  const askAs = (as: EngineDialect) => post(path, bodyWithoutArguments(as, protocolOf(path)), as);
  const answer = await askAs(dialect);
  if (answer.status === 200) return void assertSuccess(path, answer, response);
  for (const other of dialects) {
    const { status } = await askAs(other);
    const problem = `answered ${describeAnswer(answer)}, and ${other.versions.join(", ")} have a success`;
    ok(status !== 200, `${path} ${problem}`);
  }
  if (optional !== true || answer.status !== 404) assertFailureShape(path, answer, "no arguments");
}

/** "NetworkDriver" of "/NetworkDriver.Join". */
const protocolOf = (path: string): string => path.slice(1).split(".")[0] ?? "";

const noneToday = "None with the engines of today, which send it otherwise.";

function ofLookUps({ name }: Protocol, lookUps: readonly JsonMethod[]): readonly WireCheck[] {
  return [
    {
      id: `${name}/field-case`,
      title: "matches the names of fields whatever their case",
      source: goJson,
      advice: true,
      symptom: noneToday,
      async run({ post }) {
        for (const method of lookUps) {
          const text = JSON.stringify(argumentsAbout(method, nobody));
          const usual = await post(method.path, text);
          const field = method.subject ?? "";
          for (const spelling of [field.toLowerCase(), field.toUpperCase()]) {
            const body = text.replace(`"${field}"`, `"${spelling}"`);
            assertAlike(method, usual, await post(method.path, body), body);
          }
        }
      },
    },
    {
      id: `${name}/unknown-subject`,
      title: "answers in JSON to questions about what is not there",
      source: "podman v4.3.1 libpod/plugin/volume_api.go handleErrorResponse; moby v20.10.24 pkg/plugins/client.go",
      symptom: `Users read "unmarshalling JSON response from volume plugin" in place of the reason.`,
      async run({ post }) {
        for (const { path, response, ...method } of lookUps) {
          const answer = await post(path, JSON.stringify(argumentsAbout(method as Method, nobody)));
          if (answer.status === 200) assertSuccess(path, answer, response);
          else assertFailureShape(path, answer, "a name that nothing has");
        }
      },
    },
  ];
}

function ofBadRequests({ name }: Protocol, methods: readonly Method[]): readonly WireCheck[] {
  const refuses = (id: string, title: string, bodyOf: (method: Method) => string, facts: Partial<WireCheck> = {}) => ({
    id: `${name}/${id}`,
    title,
    source: goJson,
    symptom: survives,
    ...facts,
    async run(context: WireContext) {
      for (const method of methods) {
        const answer = await context.post(method.path, bodyOf(method));
        if (method.optional === true && answer.status === 404) continue;
        assertFailure(method.path, answer, title.replace(/^refuses /, ""));
      }
      await context.activate();
    },
  });
  const [first = methods[0] as Method] = methods.filter(({ optional }) => optional !== true);
  return [
    refuses("malformed", "refuses JSON that breaks off", ({ subject = "x" }) => `{"${subject}":`),
    refuses("not-json", "refuses what is not JSON", () => "Name=data&ID=1"),
    refuses("wrong-types", "refuses a field of another type", ({ subject = "x" }) => `{"${subject}":{"a":[1]}}`),
    {
      id: `${name}/huge-body`,
      title: "goes on after a request of 8 MiB",
      source: "moby v20.10.24 pkg/plugins/client.go, which limits no request",
      symptom: survives,
      async run({ post, activate }) {
        const answer = await post(first.path, `{"${first.subject ?? "x"}":["${"a".repeat(8 * 1024 * 1024)}"]}`);
        assertFailure(first.path, answer, "8 MiB of the wrong type");
        await activate();
      },
    },
    {
      id: `${name}/deep-body`,
      title: "goes on after a request that is nested 100,000 deep",
      source: "go1.19 encoding/json/scanner.go maxNestingDepth",
      symptom: survives,
      async run({ post, activate }) {
        const answer = await post(first.path, `{"${first.subject ?? "x"}":${"[".repeat(100_000)}`);
        assertFailure(first.path, answer, "brackets without end");
        await activate();
      },
    },
  ];
}

async function ask({ post }: WireContext, method: JsonMethod, body: string): Promise<WireAnswer> {
  const answer = await post(method.path, body);
  if (answer.status === 200) assertSuccess(method.path, answer, method.response);
  return answer;
}

function assertAlike({ path }: Method, usual: WireAnswer, answer: WireAnswer, body: string): void {
  if (usual.status === answer.status) return;
  throw new Error(
    `${path} answers ${describeAnswer(usual)} as engines send it, and ${describeAnswer(answer)} to ` +
      `${body || "nothing"}`,
  );
}
