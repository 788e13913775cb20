/** Who is trusted on an `https` address, and what a caller is told of those who are not. */
import { createServer as createHttpsServer, type ServerOptions } from "node:https";
import { Readable } from "node:stream";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ca, clientOf, clientOver, failureOf, handler, portOf, serve } from "./https.test.support.ts";
import { createHttpServer, createHttpTransport, type TlsClientOptions } from "../index.ts";
import { identity, pem } from "./tls.test.support.ts";

afterEach(() => vi.unstubAllEnvs());

describe("a server is trusted", () => {
  it.each(["127.0.0.1", "localhost", "::1"])("at %s, for which its certificate is", async (host) => {
    const port = await serve(undefined, host);
    expect(await clientOf(port, { ca }, host).echo({ Text: "hi" })).toEqual({ Text: "hi" });
  });

  it("by another name, when asked to be", async () => {
    const port = await serve(identity("wrong-host"));
    const client = clientOf(port, { ca, serverName: "plugins.example" });
    expect(await client.echo({ Text: "hi" })).toEqual({ Text: "hi" });
  });

  it("when its self-signed certificate is the one that is trusted", async () => {
    const port = await serve(identity("self-signed"));
    expect(await clientOf(port, { ca: pem("self-signed.pem") }).echo({ Text: "hi" })).toEqual({ Text: "hi" });
  });

  it("when its authority is one of several", async () => {
    const port = await serve();
    const client = clientOf(port, { ca: `${pem("other-ca.pem")}\n# the right one\n${ca}` });
    expect(await client.echo({ Text: "hi" })).toEqual({ Text: "hi" });
  });

  it("whoever it is, only when told so, which is logged once", async () => {
    const port = await serve(identity("expired"));
    const warnings: unknown[] = [];
    const logger = { debug() {}, info() {}, error() {}, warn: (...entry: unknown[]) => warnings.push(entry) };
    const https = { host: "127.0.0.1", port };
    const client = clientOver(createHttpTransport({ https }, { tls: { insecureSkipVerify: true }, logger }));
    await Promise.all([client.echo({ Text: "1" }), client.echo({ Text: "2" })]);
    const [entry, ...more] = warnings;
    expect(entry).toEqual([{ address: `https://127.0.0.1:${port}` }, expect.stringMatching(/^TLS is not verified/)]);
    expect(more).toEqual([]);
  });
});

describe("a server is not trusted, and gets no byte of a call", () => {
  it.each<[string, string, TlsClientOptions, RegExp]>([
    [
      "of an authority that Node does not know",
      "server",
      {},
      /certificate of the authority "Cleat tests", which is not trusted$/,
    ],
    ["of another authority", "server", { ca: pem("other-ca.pem") }, /authority "Cleat tests", which is not trusted$/],
    ["whose own certificate is trusted in place of its authority", "server", { ca: pem("server.pem") }, /not trusted$/],
    [
      "that is self-signed",
      "self-signed",
      { ca },
      /has a self-signed certificate, which is not among the trusted ones$/,
    ],
    ["whose certificate expired", "expired", { ca }, /has a certificate that expired on 2021-01-01T00:00:00Z$/],
    ["whose certificate is too young", "not-yet-valid", { ca }, /not valid yet, but from 2110-01-01T00:00:00Z on$/],
    ["of another name", "wrong-host", { ca }, /has a certificate for "DNS:plugins\.example", not for "127\.0\.0\.1"$/],
    [
      "of another name than asked for",
      "server",
      { ca, serverName: "x.example" },
      /for "DNS:localhost, .*", not for "x\.example"$/,
    ],
    ["of another address than asked for", "server", { ca, serverName: "10.0.0.1" }, /not for "10\.0\.0\.1"$/],
    ["when not verifying is not said outright", "expired", { ca, insecureSkipVerify: undefined }, /expired/],
    ["with a client's certificate", "client", { ca, serverName: "an engine" }, /is not accepted: .* purpose$/],
  ])("%s", async (_what, name, tls, message) => {
    let calls = 0;
    const server = createHttpsServer(identity(name), () => calls++);
    const port = await portOf(server);
    let touched = false;
    const source = new Readable({ read: () => (touched = true) });
    const failure = await failureOf(clientOf(port, tls).upload({ id: "a" }, { body: source }));
    expect(failure).toMatchObject({ code: "UNAUTHENTICATED", reachedPeer: false });
    expect(failure.message).toMatch(message);
    expect(failure.message).toContain(`https://127.0.0.1:${port} `);
    expect({ calls, touched }).toEqual({ calls: 0, touched: false });
  });

  it("whatever the environment says", async () => {
    vi.spyOn(process, "emitWarning").mockImplementation(() => {}); // Node's own, about that variable
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const call = clientOf(await serve(identity("expired")), { ca }).echo({ Text: "" });
    expect(await failureOf(call)).toMatchObject({ code: "UNAUTHENTICATED" });
  });

  it("that has taken the place of a trusted one", async () => {
    const first = createHttpServer(handler, { tls: identity("server") });
    first.prependListener("request", (_, response) => (response.shouldKeepAlive = false));
    const port = await portOf(first);
    const client = clientOf(port, { ca });
    await client.echo({ Text: "hi" });
    first.closeAllConnections();
    await new Promise((done) => first.close(done));
    const second = createHttpServer(handler, { tls: identity("self-signed") });
    await portOf(second, "127.0.0.1", port);
    expect(await failureOf(client.echo({ Text: "" }))).toMatchObject({ code: "UNAUTHENTICATED", reachedPeer: false });
  });
});

describe("a server name", () => {
  it.each([
    ["is asked for", { ca }, "localhost", "localhost"],
    ["is asked for in place of the host", { ca, serverName: "localhost" }, "127.0.0.1", "localhost"],
    ["is not asked for where there is only an address", { ca }, "127.0.0.1", false],
  ])("%s", async (_what, tls, host, asked) => {
    const server = createHttpServer(handler, { tls: identity("server") });
    const names: unknown[] = [];
    server.on("secureConnection", (socket: { servername: unknown }) => names.push(socket.servername));
    const port = await portOf(server, host);
    await clientOf(port, tls, host).echo({ Text: "" });
    expect(names).toEqual([asked]);
  });
});

describe("a client shows its certificate", () => {
  const trusting = { ...identity("server"), clientCa: ca };

  it("to a server that wants one", async () => {
    const client = clientOf(await serve(trusting), { ca, ...identity("client") });
    expect(await client.echo({ Text: "hi" })).toEqual({ Text: "hi" });
  });

  it.each([
    ["no certificate", "TLSv1.2", {}, false, /refuses the TLS handshake: .*; it may want a client's certificate$/],
    ["no certificate", "TLSv1.3", {}, true, /wants a client's certificate|may want a client's certificate/],
    ["a stranger's", "TLSv1.2", identity("other-client"), false, /hung up in the TLS handshake$/],
    ["a stranger's", "TLSv1.3", identity("other-client"), true, /it may refuse the client's certificate$/],
  ] as const)("or is told so: %s, %s", async (_what, maxVersion, own, reachedPeer, message) => {
    let calls = 0;
    const options: ServerOptions = { ...identity("server"), ca, requestCert: true, maxVersion };
    const port = await portOf(createHttpsServer(options, () => calls++));
    const failure = await failureOf(clientOf(port, { ca, ...own }).echo({ Text: "" }));
    expect(failure).toMatchObject({ code: expect.stringMatching(/UNAUTHENTICATED|UNAVAILABLE/), reachedPeer });
    expect(failure.message).toMatch(message);
    expect(calls).toBe(0);
  });
});
