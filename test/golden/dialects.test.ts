/** That the kits for plugins send what engines sent. */
import { expect, test } from "vitest";
import { engineDialects } from "../../src/testing/index.ts";
import { questionsOf } from "../../src/testing/protocol/method-facts.ts";
import { bodyWithoutArguments } from "../../src/testing/wire/engine-dialects.ts";
import { methodOf, readCorpus } from "./corpus.ts";

const recordings = await readCorpus(import.meta.dirname);
const rows = engineDialects.flatMap((dialect) => dialect.versions.map((version) => ({ version, dialect })));

test("each engine that was recorded with volumes has a dialect", () => {
  const recorded = recordings.flatMap(({ name }) =>
    name.endsWith("-volumes") ? [name.slice(0, -"-volumes".length)] : [],
  );
  expect(rows.map(({ version }) => version).toSorted()).toEqual(recorded.toSorted());
});

test.each(rows)("$version sends the headers and empty bodies of its dialect", ({ version, dialect }) => {
  const calls = recordings.filter(({ name }) => name.startsWith(version)).flatMap(({ exchanges }) => exchanges);
  expect(calls.length).toBeGreaterThan(0);
  for (const { request } of calls) {
    const headers = request.headers.filter(([name]) => !/^(content-length|transfer-encoding)$/i.test(name));
    expect(Object.fromEntries(headers)).toEqual(dialect.headers);
    const protocol = methodOf(request.url)?.protocol;
    if (protocol === undefined || protocol.name === "Plugin") continue;
    if (!questionsOf(protocol).some(({ path }) => path === request.url)) continue;
    const text = bodyWithoutArguments(dialect, protocol.name);
    expect({ url: request.url, body: request.body }).toMatchObject({ url: request.url, body: { text } });
  }
});
