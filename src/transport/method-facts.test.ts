/** What a row of a protocol says of one method reaches the wire, and those who read it. */
import { expect, it } from "vitest";
import { z } from "zod";
import { defineProtocol, goStruct } from "../protocol/index.ts";
import { assertImplements, createClient, createHandler, createMemoryTransport, implement } from "./index.ts";
import type { Transport, WireRequest } from "./index.ts";

const facts = { timeoutMs: 5_000, source: "this test", framing: "json" } as const;
const text = goStruct({ Text: z.string() });

const limited = defineProtocol({
  name: "Limited",
  implements: "limited",
  methods: {
    small: { path: "/Limited.Small", request: text, response: text, maxRequestBytes: 50, maxReplyBytes: 30, ...facts },
    usual: { path: "/Limited.Usual", request: text, response: text, ...facts },
  },
});

const echo = async ({ Text }: { readonly Text: string }) => ({ Text: Text.repeat(2) });
const service = implement(limited, { small: echo, usual: echo });

it("reads no more of a request and of an answer than the method's row allows", async () => {
  const transport = createMemoryTransport(createHandler([service]));
  const client = createClient(limited, transport);
  expect(await client.small({ Text: "x".repeat(8) })).toEqual({ Text: "x".repeat(16) });
  await expect(client.small({ Text: "x".repeat(50) })).rejects.toThrow("request to /Limited.Small is over 50 bytes");
  await expect(client.small({ Text: "x".repeat(30) })).rejects.toThrow("memory: is over 30 bytes");
  expect((await client.usual({ Text: "x".repeat(50) })).Text).toHaveLength(100);
});

it("lets whoever serves or calls set another limit for every method", async () => {
  const transport = createMemoryTransport(createHandler([service], { maxRequestBytes: 1_000 }));
  const client = createClient(limited, transport, { maxReplyBytes: 1_000 });
  expect((await client.small({ Text: "x".repeat(50) })).Text).toHaveLength(100);
  await expect(client.usual({ Text: "x".repeat(1_000) })).rejects.toThrow("is over 1000 bytes");
});

it("asks plugins for what the protocol is announced as", async () => {
  expect(() => assertImplements("p", ["limited"], limited)).not.toThrow();
  expect(() => assertImplements("p", ["Limited"], limited)).toThrow("does not implement limited");
  const sent: WireRequest[] = [];
  const inner = createMemoryTransport(createHandler([service]));
  const transport: Transport = { ...inner, send: (wire) => (sent.push(wire), inner.send(wire)) };
  await createClient(limited, transport).usual({ Text: "" });
  expect(sent).toMatchObject([{ path: "/Limited.Usual", announced: "limited" }]);
});
