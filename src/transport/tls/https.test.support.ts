/** Peers on TCP, fake and real, and a client for them. */
import { once } from "node:events";
import type { Server, Socket } from "node:net";
import { afterEach, expect } from "vitest";
import { TransportError } from "../../errors/index.ts";
import {
  createClient,
  createHandler,
  createHttpServer,
  createHttpTransport,
  implement,
  type TlsClientOptions,
  type TlsServerOptions,
  type Transport,
} from "../index.ts";
import { identity, pem } from "./tls.test.support.ts";
import { plain, protocol } from "../http/transports.test.support.ts";

export const ca = pem("ca.pem");
export const handler = createHandler([implement(protocol, plain)]);

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Makes a server listen until the end of the test. */
export async function portOf(server: Server, host = "127.0.0.1", port = 0): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((done) => server.close(done));
  });
  await once(server.listen(port, host), "listening");
  return (server.address() as { port: number }).port;
}

export const serve = (tls: TlsServerOptions = identity("server"), host?: string) =>
  portOf(createHttpServer(handler, { tls }), host);

export function clientOver(transport: Transport) {
  closers.push(() => transport.close());
  return createClient(protocol, transport);
}

export const clientOf = (port: number, tls?: TlsClientOptions, host = "127.0.0.1") =>
  clientOver(createHttpTransport({ https: { host, port } }, { tls }));

export const clientInClear = (port: number) => clientOver(createHttpTransport({ tcp: { host: "127.0.0.1", port } }));

export async function failureOf(call: Promise<unknown>): Promise<TransportError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TransportError);
  return error as TransportError;
}
