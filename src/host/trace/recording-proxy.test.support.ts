/** A proxy before a plugin of which a test decides every byte, in a folder of its own for each test. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { createRecordingProxy, type Exchange, type RecordingProxy } from "../index.ts";

export let folder: string;
export let exchanges: Exchange[];
export let proxy: RecordingProxy;
let waiting: (() => void)[];
const sockets = new Set<Socket>();
const servers: Server[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
  exchanges = [];
  waiting = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) server.close();
  await proxy.close(0);
  await rm(folder, { recursive: true });
});

export const pluginPath = () => join(folder, "plugin");
export const proxyPath = () => join(folder, "proxy");

function follow(socket: Socket): Socket {
  sockets.add(socket.on("error", () => {}));
  return socket;
}

async function listen(server: Server): Promise<void> {
  servers.push(server.on("connection", follow));
  await once(server.listen(pluginPath()), "listening");
}

export async function startProxy(maxRecordedBytes?: number): Promise<void> {
  const onExchange = (exchange: Exchange) => {
    exchanges.push(exchange);
    for (const look of waiting.splice(0)) look();
  };
  proxy = createRecordingProxy({ target: { unix: pluginPath() }, onExchange, maxRecordedBytes });
  await once(proxy.server.listen(proxyPath()), "listening");
}

/** A proxy before a plugin that speaks HTTP. */
export async function startHttpPlugin(answer: RequestListener, maxRecordedBytes?: number): Promise<Server> {
  const server = createHttpServer({ requireHostHeader: false, keepAliveTimeout: 0 }, answer);
  await listen(server);
  await startProxy(maxRecordedBytes);
  return server;
}

/** A proxy before a plugin that gets connections and nothing more. */
export async function startRawPlugin(onConnection: (socket: Socket) => void): Promise<void> {
  await listen(createServer({ allowHalfOpen: true }, onConnection));
  await startProxy();
}

/** An engine's connection to the proxy. */
export async function connectEngine(): Promise<Socket> {
  const socket = follow(connect({ path: proxyPath(), allowHalfOpen: true }));
  await once(socket, "connect");
  return socket;
}

/** Waits for the exchange of that number, from 1. */
export async function recorded(count = 1): Promise<Exchange> {
  while (exchanges.length < count) await new Promise<void>((look) => waiting.push(look));
  return exchanges[count - 1] as Exchange;
}

/** Everything that comes until the connection ends or breaks. */
export async function received(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  if (!socket.closed && !socket.readableEnded) {
    await new Promise<void>((resolve) => socket.once("end", resolve).once("close", () => resolve()));
  }
  return Buffer.concat(chunks).toString("latin1");
}

/** Waits until `text` has come. */
export async function receives(socket: Socket, text: string): Promise<string> {
  let seen = "";
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    seen += chunk.toString("latin1");
    if (seen.includes(text)) return seen;
  }
  throw new Error(`connection ended after ${JSON.stringify(seen)}`);
}

/** What does not change any more while others have their turn is held back. */
export async function untilStill(count: () => number): Promise<number> {
  let before = -1;
  while (count() !== before) {
    before = count();
    await new Promise((done) => setTimeout(done, 20));
  }
  return before;
}
