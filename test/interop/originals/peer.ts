import { once } from "node:events";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, ListenOptions, Socket } from "node:net";

/** A plugin that does what no plugin should, and keeps what it was sent. May be disposed of twice. */
export interface Peer extends AsyncDisposable {
  /** Whole requests, in the order in which they came. */
  readonly calls: readonly PeerCall[];
  /** Resolves when a request to `path` has come; at once when one had. */
  called(path: string): Promise<void>;
  /** Where it listens on TCP. */
  port(): number;
}

export interface PeerCall {
  /** With the query: "/GraphDriver.ApplyDiff?id=a". */
  readonly url: string;
  readonly body: string;
}

export type PeerAnswer = (call: PeerCall, response: ServerResponse) => void;

export interface PeerOptions {
  readonly listen: ListenOptions;
  readonly answer?: PeerAnswer | undefined;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export async function startPeer({ listen, answer = implementing("VolumeDriver"), tls }: PeerOptions): Promise<Peer> {
  const calls: PeerCall[] = [];
  const waiting = new Map<string, PromiseWithResolvers>();
  const waitingFor = (path: string) => waiting.get(path) ?? waiting.set(path, withResolvers()).get(path)!;
  const onRequest: RequestListener = async (request, response) => {
    const body = await request.toArray().catch(ignoreBrokenCall);
    if (body === undefined) return;
    const call = { url: request.url ?? "", body: Buffer.concat(body).toString() };
    calls.push(call);
    waitingFor(call.url).resolve();
    answer(call, response);
  };
  const server = tls === undefined ? createServer(onRequest) : createTlsServer(tls, onRequest);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", ignoreBrokenCall)));
  server.listen(listen);
  await once(server, "listening");
  return {
    calls,
    called: (path) => waitingFor(path).promise,
    port: () => (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Activates as a plugin of these subsystems; every other call has an empty answer. */
export function implementing(...subsystems: readonly string[]): PeerAnswer {
  return ({ url }, response) =>
    response.end(url === "/Plugin.Activate" ? JSON.stringify({ Implements: subsystems }) : "{}");
}

/** Activates as `activation` does; `answer` is for the other calls. */
export function answeringAs(activation: PeerAnswer, answer: PeerAnswer): PeerAnswer {
  return (call, response) => (call.url === "/Plugin.Activate" ? activation : answer)(call, response);
}

/** A host that gives up, or ends, breaks its connection: nothing that the peer could do anything about. */
function ignoreBrokenCall(): undefined {}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
