/** The published JSON Schemas against what real engines and plugins said, read by nothing of the protocol tables. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { protocols } from "../../src/protocol/index.ts";
import { readCorpus } from "./corpus.ts";

interface Published {
  readonly title: string;
  readonly methods: Readonly<Record<string, Record<"request" | "response" | "failure", { readonly $ref: string }>>>;
  readonly $defs: Readonly<Record<string, Record<string, unknown>>>;
}

const folder = join(import.meta.dirname, "../../schemas");
const files = await readdir(folder);
const published = await Promise.all(
  files.map(async (file) => JSON.parse(await readFile(join(folder, file), "utf8")) as Published),
);
const corpus = await readCorpus(import.meta.dirname);

/** What the definition that a schema's `methods` name for it says of a message; `undefined` is that there is none. */
function definitionOf(url: string, kind: "request" | "response" | "failure"): z.ZodType | undefined {
  const path = url.split("?")[0] as string;
  const schema = published.find(({ methods }) => Object.hasOwn(methods, path)) as Published;
  const reference = schema.methods[path]?.[kind]?.$ref;
  const definition = reference && schema.$defs[reference.slice("#/$defs/".length)];
  return definition ? z.fromJSONSchema(definition) : undefined;
}

it("there is one for each protocol, and no other", () => {
  expect(files.toSorted()).toEqual(protocols.map(({ name }) => `${name}.json`).toSorted());
});

describe.each(corpus)("$name", ({ exchanges }) => {
  it("is of the schemas: every request, answer and failure", () => {
    for (const { request, response } of exchanges) {
      if ("text" in request.body && request.body.text !== "" && request.url.indexOf("?") < 0)
        expect(definitionOf(request.url, "request")?.safeParse(JSON.parse(request.body.text)).error).toBeUndefined();
      if (response === undefined || !("text" in response.body) || response.body.text === "") continue;
      const definition = definitionOf(request.url, response.status === 200 ? "response" : "failure");
      expect(definition?.safeParse(JSON.parse(response.body.text)).error, response.body.text).toBeUndefined();
    }
  });
});

it.each([
  ["/NetworkDriver.CreateEndpoint", "request", '{"NetworkID":"n"}'],
  ["/NetworkDriver.CreateEndpoint", "request", '{"NetworkID":"n","EndpointID":"e","Interface":{"Address":1}}'],
  ["/IpamDriver.RequestPool", "response", '{"PoolID":"p"}'],
  ["/VolumeDriver.Create", "request", '{"Name":"v","Opts":{"size":1}}'],
  ["/SecretProvider.GetSecret", "response", '{"Value":[1]}'],
  ["/IpamDriver.RequestPool", "failure", '{"Code":"INTERNAL"}'],
  ["/GraphDriver.Changes", "response", '{"Changes":[{"Path":"/a","Kind":3}]}'],
] as const)("%s refuses as %s: %s", (url, kind, text) => {
  expect(definitionOf(url, kind)?.safeParse(JSON.parse(text)).success).toBe(false);
});
