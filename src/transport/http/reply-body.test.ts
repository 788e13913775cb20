import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHttpTransport, type Transport, type WireRequest } from "../index.ts";

let folder: string;
let transport: Transport;
let answer: string;
/** What the peer does in the middle of its answer. */
let next = (): void => {};

const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", () => socket.write(answer, () => next()));
});

/** Each has a client of its own. */
const listeners = {
  "a unix socket": async () => {
    const unix = join(folder, "s");
    await once(server.listen(unix), "listening");
    return { unix };
  },
  TCP: async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    return { tcp: { host: "127.0.0.1", port: (server.address() as AddressInfo).port } };
  },
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-reply-"));
  answer = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"Text":';
});
afterEach(async () => {
  await transport.close();
  server.close();
  await rm(folder, { recursive: true });
});

const callWith = (signal: AbortSignal, maxReplyBytes = 1000): WireRequest => ({
  path: "/Test.Echo",
  query: {},
  body: Buffer.from("{}"),
  maxReplyBytes,
  signal,
});

describe.each(Object.entries(listeners))("a reply over %s", (_, listen) => {
  beforeEach(async () => {
    transport = createHttpTransport(await listen());
  });

  it("was given up where its caller leaves in the middle of it: nobody suspects the peer of it", async () => {
    const caller = new AbortController();
    next = () => setTimeout(() => caller.abort(), 10);
    const failure = { code: "CANCELLED", reachedPeer: true };
    await expect(transport.send(callWith(caller.signal))).rejects.toMatchObject(failure);
  });

  it("is cut off behind its limit", async () => {
    next = () => {};
    const { body } = await transport.send(callWith(new AbortController().signal, 3));
    expect(String(body)).toBe('{"Text":');
  });
});
