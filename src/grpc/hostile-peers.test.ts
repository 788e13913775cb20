import {
  constants,
  type ClientHttp2Session,
  connect as connectHttp2,
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
} from "node:http2";
import { connect as connectSocket, type Socket } from "node:net";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createGrpcChannel } from "./client/channel.ts";
import { createGrpcClient } from "./client/client.ts";
import { ask, echoService, type EchoServer, serveEcho, until } from "./grpc.test.support.ts";
import { encodeFrame } from "./wire/frames.ts";
import { timed } from "../../test/patience.ts";

const grpcHeaders = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
const maxBytes = 16 * 1024 * 1024;

async function connectRaw({ path }: EchoServer): Promise<Socket> {
  const socket = connectSocket({ path });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

function openSession({ path }: EchoServer): ClientHttp2Session & AsyncDisposable {
  const session = connectHttp2("http://localhost", { createConnection: () => connectSocket({ path }) });
  session.on("error", () => {});
  return Object.assign(session, { [Symbol.asyncDispose]: async () => session.destroy() });
}

/** All headers and trailers that come, and how the stream ended. */
async function send(session: ClientHttp2Session, headers: Record<string, string>, chunks: readonly Uint8Array[]) {
  const stream = session.request({ ...grpcHeaders, ":path": "/test.Echo/Once", ...headers });
  const got: IncomingHttpHeaders = {};
  stream.on("response", (more) => Object.assign(got, more));
  stream.on("trailers", (more) => Object.assign(got, more));
  stream.on("error", () => {});
  stream.resume();
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await once(stream, "close");
  return { ...got, rstCode: stream.rstCode };
}

async function stillServes(server: EchoServer): Promise<void> {
  await using channel = createGrpcChannel({ unix: server.path });
  const client = createGrpcClient(echoService, channel);
  expect((await client.once({ text: "still" })).text).toBe("still");
}

const frame = (text: string) => encodeFrame(ask.encode({ text }), maxBytes);

/** Frames as who heeds no rule may send them. Source: RFC 9113, 4.1; RFC 7541, 6.2.2. */
function http2Frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUIntBE(type, 3, 1);
  header.writeUIntBE(flags, 4, 1);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** A preface, and settings that set nothing. */
const opening = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), http2Frame(4, 0, 0, Buffer.alloc(0))]);

function headersWith(host: ":authority" | "host"): Buffer {
  const literal = (name: string, value: string) =>
    Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
  return Buffer.concat([
    literal(":method", "POST"),
    literal(":scheme", "http"),
    literal(":path", "/test.Echo/Once"),
    literal(host, "x"),
    literal("content-type", "application/grpc"),
  ]);
}

describe("a server of gRPC", () => {
  it.each([
    ["garbage", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
    ["noise", Buffer.alloc(4_096, 0xa5)],
    ["half a preface", Buffer.from("PRI * HTTP/2.0\r\n")],
    ["a preface, then garbage", Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Buffer.alloc(99, 7)])],
  ])("outlives a peer that sends %s", async (_, bytes) => {
    await using server = await serveEcho();
    const socket = await connectRaw(server);
    socket.resume().end(bytes);
    await once(socket, "close");
    await stillServes(server);
  });

  it.each([
    ["another content type", { "content-type": "application/json" }, { ":status": 415 }],
    ["a content type that only begins so", { "content-type": "application/grpc-web" }, { ":status": 415 }],
    ["another method of HTTP", { ":method": "PUT" }, { ":status": 405 }],
    ["an unknown method", { ":path": "/test.Echo/Twice" }, { ":status": 200, "grpc-status": "12" }],
    ["an odd path", { ":path": "/" }, { "grpc-status": "12" }],
    ["a timeout that is none", { "grpc-timeout": "soon" }, { "grpc-status": "3" }],
    ["a subtype that is ours", { "content-type": "application/grpc+proto" }, { "grpc-status": "0" }],
    ["a parameter of the type", { "content-type": "application/grpc;x=y" }, { "grpc-status": "0" }],
    ["a path for its authority", { ":authority": "%2Frun%2Fx.sock" }, { "grpc-status": "0" }],
  ])("answers a call with %s", async (_, headers, expected) => {
    await using server = await serveEcho();
    await using session = openSession(server);
    expect(await send(session, headers, [frame("x")])).toMatchObject(expected);
  });

  it.each([
    ["no message", [], "12"],
    ["two messages", [frame("a"), frame("b")], "12"],
    ["half a message", [frame("abc").subarray(0, 7)], "1"],
    ["a compressed message", [Buffer.from([1, 0, 0, 0, 0])], "12"],
    ["a message that is too long", [Buffer.from([0, 255, 255, 255, 255])], "8"],
    ["a message that is none", [encodeFrame(Buffer.from([0xff]), maxBytes)], "3"],
  ])("answers a unary call with %s", async (_, chunks, status) => {
    await using server = await serveEcho();
    await using session = openSession(server);
    expect(await send(session, {}, chunks)).toMatchObject({ ":status": 200, "grpc-status": status });
    expect(await send(session, {}, [frame("x")])).toMatchObject({ "grpc-status": "0" });
  });

  it("takes a message in single bytes", async () => {
    await using server = await serveEcho();
    await using session = openSession(server);
    const bytes = [...frame("single bytes")].map((byte) => Uint8Array.of(byte));
    expect(await send(session, {}, bytes)).toMatchObject({ "grpc-status": "0" });
  });

  it("serves one that gave a host and no authority", async () => {
    await using server = await serveEcho();
    const socket = await connectRaw(server);
    let got = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => (got = Buffer.concat([got, chunk])));
    socket.write(opening);
    socket.write(http2Frame(1, 4, 1, headersWith("host")));
    socket.write(http2Frame(0, 1, 1, frame("no authority")));
    await until(() => got.includes("no authority"));
    socket.destroy();
  });

  it("keeps no more than its limit of messages that never end", async () => {
    const limitBytes = 1024 * 1024;
    await using server = await serveEcho({ maxPendingBytes: limitBytes });
    await using session = openSession(server);
    const statuses: unknown[] = [];
    const announced = Buffer.alloc(60_000);
    announced.writeUInt32BE(maxBytes, 1);
    const streams = Array.from({ length: 40 }, (_, index) => {
      const path = index % 2 === 0 ? "/test.Echo/Once" : "/test.Echo/Gather";
      const stream = session.request({ ...grpcHeaders, ":path": path });
      stream.on("error", () => {});
      stream.on("response", (headers) => statuses.push(headers["grpc-status"]));
      stream.write(announced);
      return stream;
    });
    await until(() => statuses.length === streams.length - Math.floor(limitBytes / announced.length));
    expect(new Set(statuses)).toEqual(new Set(["8"]));
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    // All of it was given back.
    const large = encodeFrame(ask.encode({ data: Buffer.alloc(1_000_000) }), maxBytes);
    expect(await send(session, {}, [large])).toMatchObject({ "grpc-status": "0" });
  });

  it("keeps no more calls than its limit of who heeds none, and takes more when some have ended", async () => {
    const maxCalls = 50;
    await using server = await serveEcho({ maxCalls });
    const socket = await connectRaw(server);
    let got = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => (got = Buffer.concat([got, chunk])));
    const refusals = () => got.toString("latin1").split(refused).length - 1;
    const refused = Buffer.from([0, 0, 0, constants.NGHTTP2_REFUSED_STREAM]).toString("latin1");
    const call = (index: number) => http2Frame(1, 4, 2 * index + 1, headersWith(":authority"));
    socket.write(Buffer.concat([opening, ...Array.from({ length: 2 * maxCalls }, (_, index) => call(index))]));
    await until(() => refusals() === maxCalls);
    socket.write(http2Frame(3, 0, 1, Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL])));
    socket.write(call(2 * maxCalls));
    socket.write(http2Frame(0, 1, 4 * maxCalls + 1, frame("one more")));
    await until(() => got.includes("one more"));
    expect(refusals()).toBe(maxCalls);
    socket.destroy();
    await stillServes(server);
  });

  it("takes no second request where one is due, however small", async () => {
    await using server = await serveEcho();
    await using session = openSession(server);
    const stream = session.request({ ...grpcHeaders, ":path": "/test.Echo/Once" });
    stream.on("error", () => {});
    stream.write(Buffer.concat([frame("x"), frame("y")]));
    const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders];
    expect(answer).toMatchObject({ "grpc-status": "12", "grpc-message": "/test.Echo/Once takes one message" });
    stream.destroy();
  });

  it("outlives headers that are too long, and too many of them", async () => {
    await using server = await serveEcho();
    await using session = openSession(server);
    await send(session, { "x-long": "x".repeat(60_000) }, [frame("x")]).catch(() => {});
    await using other = openSession(server);
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x-${index}`, "x"]));
    await send(other, many, [frame("x")]).catch(() => {});
    await stillServes(server);
  });

  it("outlives rapid resets", async () => {
    await using server = await serveEcho();
    const session = openSession(server);
    for (let count = 0; count < 3_000 && !session.destroyed; count++) {
      const stream = session.request({ ...grpcHeaders, ":path": "/test.Echo/Wait" });
      stream.on("error", () => {});
      stream.close(constants.NGHTTP2_CANCEL);
      if (count % 100 === 0) await new Promise(setImmediate);
    }
    await stillServes(server);
    session.destroy();
  });

  it("hears that a peer is gone, also one that it is waiting for", async () => {
    await using server = await serveEcho();
    for (const path of ["/test.Echo/Many", "/test.Echo/Converse"]) {
      const session = openSession(server);
      const stream = session.request({ ...grpcHeaders, ":path": path });
      stream.on("error", () => {});
      const request = encodeFrame(ask.encode({ count: 1_000, data: Buffer.alloc(100_000) }), maxBytes);
      if (path.endsWith("Many")) stream.end(request);
      else stream.write(request);
      await once(stream, "response"); // what comes is not read
      session.destroy();
    }
    await until(() => server.seen.aborted.length === 2);
    expect(server.seen.aborted).toEqual(["CANCELLED", "CANCELLED"]);
  });

  it("hears that a peer has reset a stream which it does not read", async () => {
    await using server = await serveEcho();
    await using session = openSession(server);
    const stream = session.request({ ...grpcHeaders, ":path": "/test.Echo/Many" });
    stream.on("error", () => {});
    stream.end(encodeFrame(ask.encode({ count: 1_000, data: Buffer.alloc(100_000) }), maxBytes));
    await once(stream, "response");
    stream.close(constants.NGHTTP2_CANCEL);
    await until(() => server.seen.aborted.length === 1);
    await until(() => server.seen.left.length === 1);
  });

  it("ends in time, whoever is connected and does not let go", timed, async () => {
    await using server = await serveEcho({ drainTimeoutMs: 100 });
    const silent = await connectRaw(server);
    const session = openSession(server);
    const stream = session.request({ ...grpcHeaders, ":path": "/test.Echo/Gather" });
    stream.on("error", () => {});
    stream.write(frame("x"));
    await stillServes(server);
    const startedMs = performance.now();
    await server.running.close();
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    silent.destroy();
    session.destroy();
  });
});

describe("a client of gRPC", () => {
  it("takes no second answer where one is due, and none without end", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cleat-grpc-"));
    const server = createHttp2Server();
    let sentBytes = 0;
    server.on("stream", (stream) => {
      stream.on("error", () => {});
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      const answers = Buffer.concat(Array.from({ length: 1_000 }, () => encodeFrame(new Uint8Array(0), maxBytes)));
      const send = () => {
        if (stream.closed || sentBytes > 4 * maxBytes) return;
        sentBytes += answers.length;
        if (stream.write(answers)) setImmediate(send);
        else stream.once("drain", send);
      };
      send();
    });
    await once(server.listen(join(folder, "s.sock")), "listening");
    try {
      await using channel = createGrpcChannel({ unix: join(folder, "s.sock") });
      const call = createGrpcClient(echoService, channel).once({ text: "x" }, { timeoutMs: 20_000 });
      await expect(call).rejects.toMatchObject({
        code: "DATA_LOSS",
        message: "/test.Echo/Once was answered with more than one message",
      });
      expect(sentBytes).toBeLessThan(maxBytes / 4);
    } finally {
      server.close();
      await rm(folder, { recursive: true });
    }
  });

  it.each(["once", "wait"] as const)("tells that a peer has died under a call as UNAVAILABLE (%s)", async (method) => {
    const folder = await mkdtemp(join(tmpdir(), "cleat-grpc-"));
    const server = createHttp2Server();
    const sockets: Socket[] = [];
    server.on("connection", (socket: Socket) => sockets.push(socket));
    // Killed with bytes unread that the client has sent, or without.
    server.on("stream", (stream) => {
      stream.on("error", () => {});
      if (method === "once") sockets[0]?.pause();
      setTimeout(() => sockets[0]?.destroy(), 20);
    });
    await once(server.listen(join(folder, "s.sock")), "listening");
    try {
      await using channel = createGrpcChannel({ unix: join(folder, "s.sock") });
      const call = createGrpcClient(echoService, channel)[method]({ data: Buffer.alloc(1_000_000) });
      await expect(call).rejects.toMatchObject({ code: "UNAVAILABLE" });
    } finally {
      server.close();
      await rm(folder, { recursive: true });
    }
  });
});
