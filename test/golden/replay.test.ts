/** Real engines' calls, byte for byte: Cleat's server reads each as it was meant, Cleat's client each answer. */
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import type { Server } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CleatError, RemoteError } from "../../src/errors/index.ts";
import { type Exchange, type RecordedRequest, type RecordedResponse } from "../../src/host/index.ts";
import {
  decodeGoJson,
  decodeValue,
  encodeValue,
  type Method,
  parseFailure,
  protocols,
  type UploadCall,
} from "../../src/protocol/index.ts";
import {
  createClient,
  createHandler,
  createHttpServer,
  type Service,
  type Transport,
} from "../../src/transport/index.ts";
import { methodOf, readCorpus, tableRows } from "./corpus.ts";
import { bytesOf, callRaw } from "./raw-call.ts";

const corpus = await readCorpus(import.meta.dirname);

/** Methods that no engine sent, and why. */
const neverSent: Readonly<Record<string, string>> = {
  "/GraphDriver.Exists": "asked only while layers of Docker before 1.10 are migrated (moby `layer/migration.go`)",
  "/VolumeDriver.Path":
    "Docker shows what Get and Mount answered (moby `volume/service/convert.go`, `CachedPath`), Podman only what " +
    "Mount did",
  "/NetworkDriver.AllocateNetwork":
    'a swarm asks managed plugins alone, which cannot be listened to: "legacy plugin … is not supported in swarm mode"',
  "/NetworkDriver.FreeNetwork": "as above",
  "/NetworkDriver.DiscoverNew": "as above",
  "/NetworkDriver.DiscoverDelete": "as above",
  "/MetricsCollector.StartMetrics": "told to managed plugins, which cannot be listened to",
  "/MetricsCollector.StopMetrics": "as above",
};

interface Call {
  readonly request: RecordedRequest;
  readonly response: RecordedResponse;
}

describe("the corpus", () => {
  const requests = corpus.flatMap(({ exchanges }) => exchanges.map(({ request }) => request));
  const header = ({ headers }: RecordedRequest, name: string) => headers.find(([key]) => key === name)?.[1];

  it("has every method that an engine sends", () => {
    const sent = new Set(requests.map(({ url }) => methodOf(url)?.method.path));
    const missing = tableRows.map(({ method }) => method.path).filter((path) => !sent.has(path));
    expect(missing).toEqual(Object.keys(neverSent));
  });

  it("has what makes engines hard to serve", () => {
    expect(new Set(requests.map((request) => header(request, "Host")))).toEqual(
      new Set(["", "plugin", "plugin.moby.localhost"]),
    );
    expect(requests.some((request) => header(request, "Content-Type") === undefined)).toBe(true);
    expect(requests.some((request) => header(request, "Transfer-Encoding") === "chunked")).toBe(true);
    expect(requests.some(({ body }) => body.sizeBytes === 0)).toBe(true);
    expect(requests.some(({ body }) => "text" in body && body.text.includes('"Opts":null'))).toBe(true);
  });

  it.each(corpus)("$name is whole, and small enough to be read", async ({ name, exchanges, truncated }) => {
    expect(truncated).toBe(false);
    expect(exchanges.filter(({ failure, response }) => failure !== undefined || response === undefined)).toEqual([]);
    expect((await stat(join(import.meta.dirname, `${name}.jsonl`))).size).toBeLessThan(60_000);
  });
});

describe.each(corpus)("$name", ({ exchanges }) => {
  let folder: string;
  let server: Server;
  let socket: Socket;
  let call: Call;
  let decoded: unknown;
  let uploadedBytes: number;

  /** Every method of every protocol: keeps what it was asked, and answers what was answered then. */
  const services = protocols.map((protocol): Service => {
    const answer =
      (method: Method) =>
      async (input: never, { body }: UploadCall) => {
        decoded = input;
        if (method.framing === "upload") uploadedBytes = (await buffer(body)).byteLength;
        return answerOf(method, call.response);
      };
    const methods = Object.entries(protocol.methods).map(([name, method]) => [name, answer(method)]);
    return { protocol, implementation: Object.fromEntries(methods) };
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cleat-"));
    server = createHttpServer(createHandler(services)).listen(join(folder, "s"));
    await once(server, "listening");
    socket = connect(join(folder, "s"));
    await once(socket, "connect");
  });
  afterAll(async () => {
    socket.destroy();
    server.close();
    await rm(folder, { recursive: true });
  });

  it("is understood by the server, and answered as it was, all on one connection", async () => {
    for (call of exchanges.map(wholeCall)) {
      const { request, response } = call;
      decoded = undefined;
      uploadedBytes = 0;
      const reply = await callRaw(socket, request);
      expect({ url: request.url, status: reply.status }).toEqual({ url: request.url, status: response.status });
      expect(withBytesAsText(decoded)).toMatchObject(nullsAsEmpty(fieldsOf(request)));
      if (rowOf(request).method.framing === "upload") expect(uploadedBytes).toBe(request.body.sizeBytes);
      const answered = meaningOf(request, response.status, bytesOf(response.body));
      expect(meaningOf(request, reply.status, reply.body)).toEqual(answered);
    }
  });

  it("is asked alike and understood by the client", async () => {
    for (const { request, response } of exchanges.map(wholeCall)) {
      const { protocol, name, method } = rowOf(request);
      let asked: unknown;
      const transport: Transport = {
        address: "recording:",
        async send({ path, query, body }) {
          asked = { path, ...(body instanceof Uint8Array ? parseFields(body) : query) };
          return { status: response.status, body: bytesOf(response.body) };
        },
        async close() {},
      };
      const client = createClient(protocol, transport) as Readonly<Record<string, ClientMethod>>;
      const input = decodeValue(method.request, fieldsOf(request), "recorded request", "INVALID_ARGUMENT");
      const answer = client[name]?.(input, { body: Readable.from([]) });
      if (response.status !== 200) {
        const { code, message } = parseFailure(bytesOf(response.body));
        await expect(answer).rejects.toThrow(RemoteError);
        await expect(answer).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
      } else if (method.framing === "download") {
        expect((await buffer((await answer) as Readable)).byteLength).toBe(response.body.sizeBytes);
      } else {
        const written = encodeValue(method.response, await answer, "answer again");
        expect(written).toMatchObject(JSON.parse(bytesOf(response.body).toString()) as object);
      }
      expect(asked).toMatchObject({ path: method.path, ...withoutNulls(fieldsOf(request)) });
    }
  });
});

type ClientMethod = (input: unknown, options: { body: Readable }) => Promise<unknown>;

function wholeCall({ request, response }: Exchange): Call {
  if (response === undefined) throw new Error(`${request.url} was not answered`);
  return { request, response };
}

function rowOf({ url }: RecordedRequest) {
  const row = methodOf(url);
  if (row === undefined) throw new Error(`${url} is in no table`);
  return row;
}

function answerOf(method: Method, { status, body }: RecordedResponse): unknown {
  if (status !== 200) {
    const { code, message } = parseFailure(bytesOf(body));
    throw new CleatError(code, message);
  }
  if (method.framing === "download") return Readable.from([bytesOf(body)]);
  return decodeGoJson(method.response, bytesOf(body), "recorded answer", "DATA_LOSS");
}

/** What the engine said, read without the tables. */
function fieldsOf(request: RecordedRequest): Record<string, unknown> {
  if (rowOf(request).method.framing !== "upload") return parseFields(bytesOf(request.body));
  return Object.fromEntries(new URL(request.url, "http://plugin").searchParams);
}

function parseFields(bytes: Uint8Array): Record<string, unknown> {
  const text = Buffer.from(bytes).toString();
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

/** As they are on the wire. */
function withBytesAsText(fields: unknown): object {
  const toText = (value: unknown) => (Buffer.isBuffer(value) ? value.toString("base64") : value);
  return Object.fromEntries(Object.entries(fields as object).map(([name, value]) => [name, toText(value)]));
}

/** As Cleat is to read it: `null` is Go's empty map or slice. */
function nullsAsEmpty(fields: Record<string, unknown>): object {
  const empty = expect.toSatisfy((value: object) => Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value ?? empty]));
}

/** As Cleat is to say it: whether nothing is left out or sent as `null`, `[]` or `{}` is one to Go. */
function withoutNulls(fields: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

/** What is equal in two answers that say the same: of an archive, of which only the digest is kept, the size. */
function meaningOf(request: RecordedRequest, status: number, body: Buffer): unknown {
  const isArchive = rowOf(request).method.framing === "download" && status === 200;
  return isArchive ? body.byteLength : JSON.parse(body.toString());
}
