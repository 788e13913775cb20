/** A plugin that does everything right, and the places where one thing of it can be made wrong. */
import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from "node:http";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { pluginProtocol } from "../protocol/index.ts";
import { createHandler, type Handler, implement, type Service, silentLogger } from "../transport/index.ts";

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Whatever is given here is done in the place of what is right; `undefined` is right after all. */
export interface Wrongs<Driver> {
  readonly driver?: (right: Driver, root: string) => Partial<Driver>;
  readonly answer?: (received: Received) => readonly [status: number, body: string] | "never" | "endless" | undefined;
  /** Changes what is read of a request before anybody answers it. */
  readonly read?: (received: Received) => string;
  readonly server?: ServerOptions;
  readonly onServer?: (server: Server, listening: () => Promise<void>) => void;
}

/** A kind of plugin, and what a right one of it is. */
export interface RightPlugin<Driver, Store> {
  /** What it lists in its manifest. */
  readonly implements: string;
  /** What outlives a process. */
  createStore(): Store;
  open(root: string, store: Store): Driver;
  serve(driver: Driver, root: string): { readonly service: Service; kill?(): Promise<void> };
  /** Of requests; default what the table says. */
  readonly maxRequestBytes?: number;
}

export interface FaultyPlugin extends AsyncDisposable {
  readonly socket: string;
  readonly root: string;
  /** What another process of it has: the same store, unless it forgets. */
  restart(): Promise<void>;
}

export async function serveFaultyPlugin<Driver extends object, Store>(
  right: RightPlugin<Driver, Store>,
  wrongs: Wrongs<Driver> = {},
  isForgetful = false,
): Promise<FaultyPlugin> {
  const folder = await mkdtemp(join(tmpdir(), "cleat-kit-"));
  const [root, socket] = [join(folder, "root"), join(folder, "p.sock")];
  const kept = right.createStore();
  let running = open(kept);
  const server = createServer(
    { keepAliveTimeout: 0, requireHostHeader: false, ...wrongs.server },
    (request, response) => answer(request, response).catch(() => response.destroy()),
  );
  const listen = async () => void (await once(server.listen(socket), "listening"));
  wrongs.onServer?.(server, listen);
  await listen();

  function open(store: Store): { readonly handle: Handler; kill?(): Promise<void> } {
    const driver = right.open(root, store);
    const { service, ...process } = right.serve({ ...driver, ...wrongs.driver?.(driver, root) }, root);
    const activation = implement(pluginProtocol, { activate: async () => ({ Implements: [right.implements] }) });
    const { maxRequestBytes } = right;
    const handle = createHandler([activation, service], { logger: silentLogger, maxRequestBytes });
    return { handle, ...process };
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url: path = "", headers } = request;
    const bytes = await buffer(request);
    const body = String(bytes);
    const received = { path, headers, body };
    const wrong = wrongs.answer?.(received);
    if (wrong === "never") return;
    if (wrong === "endless") return flood(response);
    if (wrong !== undefined) return void response.writeHead(wrong[0]).end(wrong[1]);
    const text = wrongs.read?.(received);
    const [url = "", query] = path.split("?");
    const call = { path: url, query: Object.fromEntries(new URLSearchParams(query)), signal: signalOf(response) };
    const reply = await running.handle({
      ...call,
      body: Readable.from([text === undefined ? bytes : Buffer.from(text)]),
    });
    response.writeHead(reply.status);
    if (reply.body instanceof Readable) await pipeline(reply.body, response);
    else response.end(String(reply.body));
  }

  return {
    socket,
    root,
    async restart() {
      await running.kill?.();
      running = open(isForgetful ? right.createStore() : kept);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
      await running.kill?.();
      await rm(folder, { recursive: true });
    },
  };
}

function signalOf(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  return gone.signal;
}

/** Until the other end has had enough. */
function flood(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write(" ".repeat(65_536)));
  };
  response.on("drain", more);
  more();
}
