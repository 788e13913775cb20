/** What is met on an `https` address, and on a `tcp` address behind which TLS is spoken. */
import { once } from "node:events";
import { createServer as createPlainServer } from "node:http";
import { connect, createServer as createNetServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, it } from "vitest";
import { ca, clientInClear, clientOf, failureOf, handler, portOf, serve } from "./https.test.support.ts";
import { createHttpServer, createHttpTransport } from "../index.ts";
import { identity } from "./tls.test.support.ts";

describe("on an https address", () => {
  it("a peer that answers in plaintext is told from one that does not answer", async () => {
    const port = await portOf(createPlainServer((_, response) => response.end("{}")));
    expect(await failureOf(clientOf(port, { ca }).echo({ Text: "" }))).toMatchObject({
      code: "UNAUTHENTICATED",
      reachedPeer: false,
      message: `https://127.0.0.1:${port} answers in plaintext, not in TLS`,
    });
  });

  it("a peer that speaks only what is no longer safe is not spoken with", async () => {
    const old = {
      ...identity("server"),
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    } as const;
    const port = await portOf(createTlsServer(old));
    expect(await failureOf(clientOf(port, { ca }).echo({ Text: "" }))).toMatchObject({
      code: "UNAUTHENTICATED",
      message: `https://127.0.0.1:${port} speaks no TLS 1.2 or later`,
    });
  });

  it("a peer that never answers costs the call its deadline", async () => {
    const port = await portOf(createNetServer());
    const call = clientOf(port, { ca }).echo({ Text: "" }, { timeoutMs: 50 });
    expect(await failureOf(call)).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  it("a peer that hangs up in the handshake may be tried again", async () => {
    const port = await portOf(createNetServer((socket) => socket.once("data", () => socket.destroy())));
    expect(await failureOf(clientOf(port, { ca }).echo({ Text: "" }))).toMatchObject({
      code: "UNAVAILABLE",
      reachedPeer: false,
    });
  });

  it("nobody may be there", async () => {
    const server = createNetServer();
    const port = await portOf(server);
    await new Promise((done) => server.close(done));
    const failure = await failureOf(clientOf(port, { ca }, "localhost").echo({ Text: "" }));
    expect(failure).toMatchObject({ code: "UNAVAILABLE", reachedPeer: false });
    expect(failure.message).toMatch(/^nobody answers at https:\/\/localhost:\d+: .*ECONNREFUSED/);
  });

  it("connections are kept", async () => {
    const server = createHttpServer(handler, { tls: identity("server") });
    let connections = 0;
    server.on("secureConnection", () => connections++);
    const client = clientOf(await portOf(server), { ca });
    for (const Text of ["1", "2", "3"]) expect(await client.echo({ Text })).toEqual({ Text });
    expect(connections).toBe(1);
  });
});

describe("on a tcp address", () => {
  it("a peer that answers with an alert of TLS is told from one that is broken", async () => {
    const alert = Buffer.from("15030300020232", "hex"); // fatal, decode_error
    const port = await portOf(createNetServer((socket) => socket.once("data", () => socket.write(alert))));
    expect(await failureOf(clientInClear(port).echo({ Text: "" }))).toMatchObject({
      code: "FAILED_PRECONDITION",
      message:
        `tcp://127.0.0.1:${port} answers in TLS, but is called in plaintext; an address of TLS begins with ` +
        "https://",
    });
  });

  it("a server of TLS that hangs up is suspected of it", async () => {
    const failure = await failureOf(clientInClear(await serve()).echo({ Text: "" }));
    expect(failure.message).toMatch(/it may speak TLS, whose addresses begin with https:\/\/$/);
  });

  it("options of TLS are refused", () => {
    const tcp = { host: "127.0.0.1", port: 1 };
    expect(() => createHttpTransport({ tcp }, { tls: { ca } })).toThrow(
      "tcp://127.0.0.1:1 is called in plaintext, so TLS options are of no use",
    );
  });
});

describe("a server with TLS", () => {
  it("never closes a connection for being idle, new, or slow", () => {
    const server = createHttpServer(handler, { tls: identity("server") });
    expect({ ...server }).toMatchObject({
      timeout: 0,
      keepAliveTimeout: 0,
      headersTimeout: 0,
      requestTimeout: 0,
    });
  });

  it("does not wait for a handshake for ever", async () => {
    const port = await serve({ ...identity("server"), handshakeTimeoutMs: 20 });
    const socket = connect(port, "127.0.0.1").resume();
    socket.on("error", () => {});
    await once(socket, "close");
    expect(socket.bytesWritten).toBe(0);
  });

  it.each([
    ["HTTP in plaintext", "POST /Test.Echo HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["nothing", ""],
    ["garbage", "\u0016\u0003\u0001\u00ff\u00ff\u0001garbage"],
    ["half a handshake", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000"],
  ])("outlives a peer that sends %s and goes, and tells no handler", async (_what, bytes) => {
    const calls: string[] = [];
    const server = createHttpServer(async ({ path }) => (calls.push(path), { status: 200, body: Buffer.from("{}") }), {
      tls: identity("server"),
    });
    const port = await portOf(server);
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.end(bytes);
    socket.resume();
    await once(socket, "close");
    await clientOf(port, { ca }).extra({});
    expect(calls).toEqual(["/Test.Extra"]);
  });
});
