import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { protocol } from "../http/transports.test.support.ts";
import {
  createClient,
  createHttpTransport,
  createMemoryTransport,
  type Transport,
  type WireRequest,
} from "../index.ts";

/** A client over a transport that copies calls, and a peer that never answers. */
async function withSilentPeer(
  copy: (request: WireRequest) => WireRequest,
  use: (client: ReturnType<typeof createClient<typeof protocol>>) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "cleat-copied-"));
  const server = createServer(() => {});
  await once(server.listen(join(folder, "s")), "listening");
  const inner = createHttpTransport({ unix: join(folder, "s") });
  const outer: Transport = { ...inner, send: (request) => inner.send(copy(request)) };
  try {
    await use(createClient(protocol, outer, { timeoutMs: 60_000 }));
  } finally {
    await inner.close();
    server.close();
    await rm(folder, { recursive: true });
  }
}

it("is given up by the signal that a transport around another gives its copy", () => {
  const own = AbortSignal.timeout(20);
  return withSilentPeer(
    (request) => ({ ...request, signal: own }),
    (client) => expect(client.echo({ Text: "" })).rejects.toMatchObject({ code: "CANCELLED" }),
  );
});

it("is given up by its caller, and by its deadline, where it is copied as it is", () =>
  withSilentPeer(
    (request) => ({ ...request }),
    async (client) => {
      const signal = AbortSignal.timeout(20);
      await expect(client.echo({ Text: "" }, { signal })).rejects.toMatchObject({ code: "CANCELLED" });
      await expect(client.echo({ Text: "" }, { timeoutMs: 20 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    },
  ));

it("has a signal where it is copied", async () => {
  const signals: unknown[] = [];
  const transport: Transport = {
    address: "nowhere:",
    async send(request) {
      const copied = { ...request };
      signals.push(copied.signal, request.signal);
      return { status: 200, body: Buffer.from('{"Text":""}') };
    },
    async close() {},
  };
  await createClient(protocol, transport).echo({ Text: "" });
  expect(signals[0]).toBeInstanceOf(AbortSignal);
  expect(signals[0]).toBe(signals[1]);
});

it("warns of no leak where many are under way at once", async () => {
  const warnings: Error[] = [];
  const listen = (warning: Error): void => void warnings.push(warning);
  process.on("warning", listen);
  const asked: (() => void)[] = [];
  const transport = createMemoryTransport(async () => {
    await new Promise<void>((resolve) => asked.push(resolve));
    return { status: 200, body: Buffer.from('{"Text":""}') };
  });
  const client = createClient(protocol, transport);
  const calls = Array.from({ length: 20 }, () => client.echo({ Text: "" }));
  while (asked.length < 20) await new Promise((resolve) => setImmediate(resolve));
  for (const resolve of asked) resolve();
  await Promise.all(calls);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", listen);
  expect(warnings).toEqual([]);
});
