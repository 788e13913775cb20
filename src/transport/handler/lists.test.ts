import { Readable } from "node:stream";
import { expect, it } from "vitest";

import { encodeGoJson, graphDriverProtocol } from "../../protocol/index.ts";
import { createHandler } from "./handler.ts";
import { type Logger, silentLogger } from "../wire/logger.ts";
import { implement } from "./service.ts";

const { changes } = graphDriverProtocol.methods;
type WireChange = Parameters<typeof encodeGoJson<typeof changes.response>>[1]["Changes"][number];

/** What a plugin answers to `Changes`. */
function ask(list: Iterable<WireChange>, logger: Logger = silentLogger) {
  const service = implement(graphDriverProtocol, { changes: async () => ({ Changes: list }) } as never);
  const body = Buffer.from('{"ID":"a"}');
  return createHandler([service], { logger })({
    path: changes.path,
    query: {},
    body,
    signal: new AbortController().signal,
  });
}

function* make(count: number): Generator<WireChange> {
  for (let at = 0; at < count; at++) {
    yield { Path: `/${"n\u{fffd}".repeat(200)}/${at}`, Kind: 1, PathBytes: Buffer.alloc(300, 0xff) };
  }
}

it.each([0, 1, 3])("a list of %d is one message, as ever", async (count) => {
  const { status, body } = await ask(make(count));
  expect(status).toBe(200);
  expect(body).toEqual(encodeGoJson(changes.response, { Changes: [...make(count)] }, "answer"));
});

it("a long list is written in pieces, while it is made, and says the same", async () => {
  let made = 0;
  function* counted(): Generator<WireChange> {
    for (const change of make(2_000)) {
      made += 1;
      yield change;
    }
  }
  const { body, mediaType } = await ask(counted());
  expect(body).toBeInstanceOf(Readable);
  expect(mediaType).toContain("application/vnd.docker.plugins");
  expect(made).toBeLessThan(500);
  const pieces: Buffer[] = [];
  for await (const piece of body as Readable) {
    pieces.push(piece as Buffer);
    expect((piece as Buffer).length).toBeLessThan(512 * 1024);
  }
  const whole = encodeGoJson(changes.response, { Changes: [...make(2_000)] }, "answer");
  expect(Buffer.concat(pieces).equals(whole)).toBe(true);
});

it("an item that the schema does not allow is a failure, never a shorter list", async () => {
  const wrong = { Path: "/x", Kind: 7 } as never;
  expect(await ask([wrong])).toMatchObject({ status: 500 });
  const logged: object[] = [];
  const logger = { ...silentLogger, error: (fields: object, message: string) => logged.push({ ...fields, message }) };
  const { body } = await ask([...make(1_000), wrong], logger);
  await expect((body as Readable).toArray()).rejects.toMatchObject({ code: "INTERNAL" });
  const line = { method: changes.path, status: 200, message: "failed unforeseen", err: { code: "INTERNAL" } };
  expect(logged).toMatchObject([line]); // its peer sees that the connection breaks, and its author why
});
