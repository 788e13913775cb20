/** What engines really send, byte for byte, and what a peer sees that knows nothing but HTTP. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { graphDriverProtocol } from "../../protocol/index.ts";
import { createHandler, createHttpServer, implement } from "../index.ts";

const calls: string[] = [];
let uploadOutcome: Promise<string>;
let settleUpload: (outcome: string) => void;
let failUpload: boolean;
let folder: string;
let server: Server;
let socket: Socket;

const never = async (): Promise<never> => {
  throw new CleatError("INTERNAL", "not part of this test");
};
const service = implement(graphDriverProtocol, {
  init: async ({ Home }) => (calls.push(`init ${Home}`), {}),
  create: never,
  createReadWrite: never,
  remove: never,
  get: async ({ ID }) => (calls.push(`get ${ID}`), { Dir: `/${ID}` }),
  put: async ({ ID }) => {
    throw new CleatError("NOT_FOUND", `layer "${ID}" does not exist`);
  },
  exists: never,
  status: async () => ({ Status: [["a", "b"] as [string, string]] }),
  getMetadata: never,
  cleanup: never,
  diff: async () =>
    Readable.from(
      (async function* () {
        yield Buffer.from("first half");
        await new Promise(setImmediate);
        throw new Error("bad disk");
      })(),
    ),
  changes: never,
  applyDiff: async ({ id }, { body }) => {
    let size = 0;
    try {
      for await (const chunk of body) {
        size += chunk.byteLength;
        if (failUpload) throw new CleatError("INVALID_ARGUMENT", `layer "${id}": not a tar`);
      }
      settleUpload(`clean end after ${size}`);
    } catch (error) {
      settleUpload(String(error));
      throw error;
    }
    return { Size: size };
  },
  diffSize: never,
});

beforeEach(async () => {
  calls.length = 0;
  failUpload = false;
  uploadOutcome = new Promise((resolve) => (settleUpload = resolve));
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
  server = createHttpServer(createHandler([service], { maxRequestBytes: 1_000 })).listen(join(folder, "s"));
  await once(server, "listening");
  socket = connect(join(folder, "s"));
  socket.on("error", () => {});
});

afterEach(async () => {
  socket.destroy();
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

/** Sends raw bytes and reads one reply with a Content-Length. */
async function exchange(request: string): Promise<{ status: number; head: string; body: unknown }> {
  socket.write(request);
  return readReply();
}

async function readReply() {
  let text = "";
  for (;;) {
    const end = text.indexOf("\r\n\r\n");
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
    if (end > 0 && text.length >= end + 4 + length) {
      const body: unknown = JSON.parse(text.slice(end + 4));
      return { status: Number(text.slice(9, 12)), head: text.slice(0, end), body };
    }
    const chunk: unknown = socket.read() ?? (await Promise.race([once(socket, "readable"), once(socket, "close")]));
    if (Buffer.isBuffer(chunk)) text += chunk.toString();
    else if (socket.closed) throw new Error(`connection closed after ${JSON.stringify(text)}`);
  }
}

const post = (path: string, body: string, headers = "Host: x\r\n") =>
  `POST ${path} HTTP/1.1\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

describe("requests of real engines", () => {
  it("with an empty Host and no Content-Type (Docker 20.10)", async () => {
    const headers = "Host: \r\nUser-Agent: Go-http-client/1.1\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\n";
    const body = '{"Home":"/var/lib/docker/cleat","Opts":null,"UIDMaps":null,"GIDMaps":null}\n';
    const reply = await exchange(post("/GraphDriver.Init", body, headers));
    expect(reply).toMatchObject({ status: 200, body: {} });
    expect(reply.head).toMatch(/content-type: application\/vnd\.docker\.plugins\.v1\.1\+json/i);
    expect(calls).toEqual(["init /var/lib/docker/cleat"]);
  });

  it("without any Host, with an empty body, with a strange Content-Type", async () => {
    expect(await exchange(post("/GraphDriver.Status", "", ""))).toMatchObject({ status: 200 });
    expect(await exchange(post("/GraphDriver.Status", "{}", "Content-Type: text/css\r\n"))).toMatchObject({
      body: { Status: [["a", "b"]] },
    });
  });

  it("with an unescaped query and a chunked body", async () => {
    const reply = await exchange(
      "POST /GraphDriver.ApplyDiff?id=a&parent= HTTP/1.1\r\nHost: \r\nTransfer-Encoding: " +
        "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    );
    expect(reply).toMatchObject({ status: 200, body: { Size: 3 } });
  });
});

describe("failures", () => {
  it.each([
    ["malformed JSON", post("/GraphDriver.Get", '{"ID":'), 400, /not JSON/],
    ["a field of the wrong type", post("/GraphDriver.Get", '{"ID":7}'), 400, /ID: /],
    ["a body over the cap", post("/GraphDriver.Get", `{"ID":"${"x".repeat(1_000)}"}`), 413, /over 1000 bytes/],
    ["an upload without id", post("/GraphDriver.ApplyDiff", "abc"), 400, /id: /],
    ["an unknown method", post("/GraphDriver.Nonsense", "{}"), 404, /GraphDriver\.Nonsense/],
    ["an optional method that is not there", post("/GraphDriver.Capabilities", "{}"), 404, /Capabilities/],
    ["a method named like a member of Object", post("/__proto__", "{}"), 404, /__proto__/],
    ["GET", "GET /GraphDriver.Status HTTP/1.1\r\nHost: x\r\n\r\n", 405, /GET/],
    ["a driver's NOT_FOUND", post("/GraphDriver.Put", '{"ID":"q"}'), 500, /layer "q" does not exist/],
    ["headers over the cap", `POST / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431, /16384 bytes/],
    ["no HTTP at all", "hello\r\n\r\n", 400, /not HTTP/],
  ])("%s", async (_what, request, status, message) => {
    const reply = await exchange(request);
    expect(reply.status).toBe(status);
    expect(reply.body).toMatchObject({ Err: expect.stringMatching(message), Code: expect.any(String) });
    expect(calls).toEqual([]);
  });

  it("keep the connection for the next call", async () => {
    await exchange(post("/GraphDriver.Get", "{"));
    await exchange(post("/GraphDriver.Get", `{"ID":"${"x".repeat(100_000)}"}`));
    await exchange(post("/GraphDriver.Put", '{"ID":"q"}'));
    expect(await exchange(post("/GraphDriver.Get", '{"ID":"q"}'))).toMatchObject({ body: { Dir: "/q" } });
  });
});

describe("ApplyDiff", () => {
  const head = "POST /GraphDriver.ApplyDiff?id=a HTTP/1.1\r\nHost: \r\nTransfer-Encoding: chunked\r\n\r\n";
  const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;

  const written = (bytes: string) =>
    new Promise<void>((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve())));

  it("that fails is read to its end, for a peer that reads no answer before", async () => {
    failUpload = true;
    socket.pause();
    socket.write(head);
    for (let i = 0; i < 400; i++) {
      if (!socket.write(chunk)) await once(socket, "drain");
    }
    socket.write("0\r\n\r\n");
    expect(await readReply()).toMatchObject({ status: 500, body: { Err: 'layer "a": not a tar' } });
    expect(await exchange(post("/GraphDriver.Get", '{"ID":"q"}'))).toMatchObject({ body: { Dir: "/q" } });
  });

  it("that fails is read to its end on a connection that is to be closed then, too", async () => {
    failUpload = true;
    const closing = head.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    expect(await exchange(closing + chunk)).toMatchObject({ status: 500, body: { Err: 'layer "a": not a tar' } });
    for (let i = 0; i < 100; i++) await written(chunk);
    await written("0\r\n\r\n");
    await once(socket, "close");
  });

  it("that fails is answered before it is read to its end", async () => {
    failUpload = true;
    expect(await exchange(head + chunk)).toMatchObject({ status: 500 });
    socket.write(`${chunk}0\r\n\r\n`);
    expect(await exchange(post("/GraphDriver.Get", '{"ID":"q"}'))).toMatchObject({ body: { Dir: "/q" } });
  });

  it.each([
    ["inside a chunk", `${head}10\r\nabc`],
    ["between chunks", `${head}3\r\nabc\r\n`],
    ["inside a counted body", "POST /GraphDriver.ApplyDiff?id=a HTTP/1.1\r\nHost: \r\nContent-Length: 9\r\n\r\nabc"],
  ])("whose peer goes away %s is an error, never a clean end", async (_where, bytes) => {
    socket.write(bytes);
    await once(server, "request");
    socket.end();
    expect(await uploadOutcome).toMatch(/peer closed the connection in the middle of its body/);
  });

  it("whose peer vanishes is an error, never a clean end", async () => {
    socket.write(`${head}3\r\nabc\r\n`);
    await once(server, "request");
    socket.destroy();
    expect(await uploadOutcome).toMatch(/peer closed the connection in the middle of its body/);
  });

  it("with damaged chunks is an error, never a clean end", async () => {
    socket.write(`${head}3\r\nabc\r\nzz\r\n`);
    expect(await uploadOutcome).toMatch(/peer closed the connection in the middle of its body/);
  });
});

it("breaks the connection when a Diff fails midway: there is no last chunk", async () => {
  socket.write(post("/GraphDriver.Diff", '{"ID":"a"}'));
  let text = "";
  for await (const bytes of socket) text += String(bytes);
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  expect(text).toContain("first half");
  expect(text).not.toMatch(/\r\n0\r\n/);
});

it("never closes a connection for being idle, new, or slow", () => {
  expect({ ...server }).toMatchObject({
    timeout: 0,
    keepAliveTimeout: 0,
    headersTimeout: 0,
    requestTimeout: 0,
    maxRequestsPerSocket: 0,
  });
});
