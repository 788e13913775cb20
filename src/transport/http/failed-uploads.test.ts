/**
 * A call that fails in the middle of an upload, whose peer reads no answer before it has sent everything: what it sends
 * is read to the end, the answer arrives, and the connection carries the next call, whatever the implementation does
 * with the body.
 */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { createHandler, createHttpServer, implement } from "../index.ts";
import { plain, protocol, withResolvers } from "./transports.test.support.ts";

type Fail = (body: AsyncIterator<Uint8Array>, answered: Promise<void>) => Promise<void>;

/** What becomes of the body when the call fails. */
const failures: Readonly<Record<string, Fail>> = {
  "before it reads anything": async () => {},
  "after a piece, and leaves it": async (body) => {
    await body.next();
    await body.return?.();
  },
  "after a piece, and forgets it": async (body) => void (await body.next()),
  "while it waits for the next piece": async (body) => {
    for (let count = 0; count < 3; count++) await body.next();
    void body.next();
  },
  "and leaves the body only when the answer is on its way": async (body, answered) => {
    await body.next();
    void answered.then(() => body.return?.());
  },
  "and leaves the body while it waits, when the answer is on its way": async (body, answered) => {
    await body.next();
    void body.next();
    void answered.then(() => body.return?.());
  },
  "and reads on when the answer is on its way": async (body, answered) => {
    await body.next();
    void answered.then(() => Promise.all([body.next(), body.next(), body.next()]));
  },
  "and first reads the body when the answer is on its way": async (body, answered) => {
    void answered.then(() => body.next().catch(() => {})); // which tells that it is too late
  },
};

let fail: Fail;
let answered: ReturnType<typeof withResolvers<void>>;
let server: Server;
let folder: string;

beforeEach(async () => {
  answered = withResolvers<void>();
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
  const handler = createHandler([
    implement(protocol, {
      ...plain,
      upload: async ({ id }, { body }) => {
        await fail(body[Symbol.asyncIterator](), answered.promise);
        throw new CleatError("DATA_LOSS", `layer "${id}": bad block`);
      },
    }),
  ]);
  server = createHttpServer(handler);
  server.on("request", (_request, response) => response.once("finish", () => answered.resolve()));
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const listeners = {
  "a unix socket": async () => {
    await once(server.listen(join(folder, "s")), "listening");
    return connect(join(folder, "s"));
  },
  TCP: async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    return connect((server.address() as AddressInfo).port, "127.0.0.1");
  },
};

const head = "POST /Test.Upload?id=a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
const echo = 'POST /Test.Echo HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n{"Text":"hi"}';

async function sendAll(socket: Socket): Promise<void> {
  socket.write(head);
  for (let count = 0; count < 256; count++) {
    if (!socket.write(chunk)) await once(socket, "drain");
  }
  socket.write("0\r\n\r\n");
}

async function readUntil(socket: Socket, end: string): Promise<string> {
  let text = "";
  for await (const bytes of socket.iterator({ destroyOnReturn: false })) {
    text += String(bytes);
    if (text.endsWith(end)) break;
  }
  return text;
}

describe.each(Object.entries(listeners))("over %s", (_name, listen) => {
  it.each(Object.entries(failures))("a call that fails %s", async (_what, how) => {
    fail = how;
    const socket = await listen();
    await sendAll(socket);
    expect(await readUntil(socket, "}")).toMatch(/^HTTP\/1\.1 500 [^]*"Err":"layer \\"a\\": bad block"/);
    socket.write(echo);
    expect(await readUntil(socket, "}")).toMatch(/^HTTP\/1\.1 200 [^]*"Text":"hi"/);
    socket.destroy();
  });
});
