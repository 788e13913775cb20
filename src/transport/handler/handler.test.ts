/** What a plugin's operator reads. What its peers read is tested in http-server.test.ts. */
import { Readable } from "node:stream";
import { expect, it, vi } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { createClient, createHandler, createMemoryTransport, implement, type Logger } from "../index.ts";
import { plain, protocol } from "../http/transports.test.support.ts";

function createRecorder() {
  const lines: object[] = [];
  const record = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields });
  const logger: Logger = { debug: record("debug"), info: record("info"), warn: record("warn"), error: record("error") };
  return { lines, logger };
}

it("logs each call with its method, status and duration, refusals apart from failures, slips as errors", async () => {
  const { lines, logger } = createRecorder();
  const failing = {
    ...plain,
    echo: async ({ Text: text }: { Text: string }) => {
      const code = (["NOT_FOUND", "ALREADY_EXISTS", "INVALID_ARGUMENT"] as const).find((one) => one === text);
      if (code !== undefined) throw new CleatError(code, "as asked");
      return { Text: text };
    },
    upload: async () => Promise.reject(new CleatError("UNAVAILABLE", "no such disk")),
    download: async () => Promise.reject(new TypeError("a bug")),
  };
  const client = createClient(
    protocol,
    createMemoryTransport(createHandler([implement(protocol, failing)], { logger })),
  );
  await client.echo({ Text: "secret" });
  for (const Text of ["NOT_FOUND", "ALREADY_EXISTS", "INVALID_ARGUMENT"]) await client.echo({ Text }).catch(() => {});
  await client.upload({ id: "a" }, { body: Readable.from([]) }).catch(() => {});
  await client.download({ Bytes: 1 }).catch(() => {});
  await client.extra({}).catch(() => {});
  const durationMs = expect.any(Number);
  expect(lines).toMatchObject([
    { level: "debug", method: "/Test.Echo", status: 200, durationMs },
    { level: "info", method: "/Test.Echo", status: 500, code: "NOT_FOUND", reason: "as asked" },
    { level: "info", method: "/Test.Echo", status: 500, code: "ALREADY_EXISTS" },
    { level: "info", method: "/Test.Echo", status: 500, code: "INVALID_ARGUMENT" },
    { level: "warn", method: "/Test.Upload", subject: "a", status: 500, code: "UNAVAILABLE", reason: "no such disk" },
    { level: "error", method: "/Test.Download", status: 500, err: expect.any(TypeError) },
    { level: "warn", method: "/Test.Extra", status: 404, code: "UNIMPLEMENTED" },
  ]);
  expect(JSON.stringify(lines)).not.toContain("secret");
});

it("logs a stream when it has ended", async () => {
  const { lines, logger } = createRecorder();
  const client = createClient(protocol, createMemoryTransport(createHandler([implement(protocol, plain)], { logger })));
  const stream = await client.download({ Bytes: 300_000 });
  expect(lines).toEqual([]);
  stream.resume();
  await vi.waitFor(() => expect(lines).toMatchObject([{ level: "debug", method: "/Test.Download", status: 200 }]));
});

it("answers with what is there already of a stream without reading it, and lets go of it", async () => {
  const { lines, logger } = createRecorder();
  const read = vi.fn<() => void>();
  const stream = Object.assign(new Readable({ read }), { whole: Buffer.from("all of it") });
  const handler = createHandler([implement(protocol, { ...plain, download: async () => stream })], { logger });
  const client = createClient(protocol, createMemoryTransport(handler));
  expect(String(Buffer.concat(await (await client.download({ Bytes: 1 })).toArray()))).toBe("all of it");
  expect(read).not.toHaveBeenCalled();
  expect(stream.destroyed).toBe(true);
  expect(lines).toMatchObject([{ level: "debug", method: "/Test.Download", status: 200 }]);
});

it("reads a stream that calls something else whole", async () => {
  const stream = Object.assign(Readable.from([Buffer.from("bytes")], { objectMode: false }), { whole: true });
  const handler = createHandler([implement(protocol, { ...plain, download: async () => stream })]);
  const client = createClient(protocol, createMemoryTransport(handler));
  expect(String(Buffer.concat(await (await client.download({ Bytes: 1 })).toArray()))).toBe("bytes");
});

it("does not take two implementations of one method", () => {
  const service = implement(protocol, plain);
  expect(() => createHandler([service, service])).toThrow('method "/Test.Echo" is served twice');
});
