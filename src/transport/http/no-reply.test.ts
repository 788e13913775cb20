import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { createHttpServer, createHttpTransport, type Handler } from "../index.ts";

const stream = new Readable({ read() {} });

it.each<[string, unknown]>([
  ["nothing", undefined],
  ["a status that there is not", { status: 99, body: new Uint8Array(0) }],
  ["a media type that is no header", { status: 200, body: stream, mediaType: "a\nb" }],
])("a handler that answers %s fails its call, and no other", async (what, reply) => {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => void unhandled.push(error);
  process.on("unhandledRejection", onUnhandled);
  const folder = await mkdtemp(join(tmpdir(), "cleat-http-"));
  const server = createHttpServer((async () => reply) as unknown as Handler);
  await once(server.listen(join(folder, "s.sock")), "listening");
  const transport = createHttpTransport({ unix: join(folder, "s.sock") });
  try {
    const wire = { path: "/Test.Call", query: {}, body: new Uint8Array(0), signal: AbortSignal.timeout(3_000) };
    for (let round = 0; round < 2; round++) {
      const { status, body } = await transport.send(wire);
      (body as Readable).resume();
      expect(status).toBe(500);
    }
    expect(unhandled).toEqual([]);
    if (what.includes("media type")) expect(stream.destroyed).toBe(true);
  } finally {
    process.off("unhandledRejection", onUnhandled);
    await transport.close();
    server.close();
    await rm(folder, { recursive: true });
  }
});
