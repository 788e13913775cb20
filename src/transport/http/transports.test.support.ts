/** A small protocol of every framing, and every transport to call it over. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { z } from "zod";
import { defineProtocol, goStruct, type ServerImplementation } from "../../protocol/index.ts";
import {
  createClient,
  createHandler,
  createHttpServer,
  createHttpTransport,
  createMemoryTransport,
  type Handler,
  implement,
  type Transport,
} from "../index.ts";
import { identity, pem } from "../tls/tls.test.support.ts";

const facts = { timeoutMs: 5_000, source: "this test" } as const;
export const protocol = defineProtocol({
  name: "Test",
  methods: {
    echo: {
      path: "/Test.Echo",
      framing: "json",
      request: goStruct({ Text: z.string() }),
      response: goStruct({ Text: z.string() }),
      ...facts,
    },
    upload: {
      path: "/Test.Upload",
      framing: "upload",
      mediaType: "application/x-upload",
      request: goStruct({ id: z.string() }),
      response: goStruct({ Size: z.int() }),
      subject: "id",
      ...facts,
    },
    download: {
      path: "/Test.Download",
      framing: "download",
      mediaType: "application/x-download",
      request: goStruct({ Bytes: z.int() }),
      ...facts,
    },
    extra: {
      path: "/Test.Extra",
      framing: "json",
      request: goStruct({}),
      response: goStruct({}),
      optional: true,
      ...facts,
    },
  },
});

export const plain: ServerImplementation<typeof protocol> = {
  echo: async ({ Text }) => ({ Text }),
  upload: async (_, { body }) => {
    let size = 0;
    for await (const chunk of body) size += chunk.byteLength;
    return { Size: size };
  },
  download: async ({ Bytes }) => Readable.from(chunks(Bytes)),
};

export function* chunks(bytes: number) {
  for (let left = bytes; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536), 7);
}

const closers: (() => Promise<void>)[] = [];

/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).toReversed()) await close();
}

type OpenTransport = (handler: Handler) => Promise<Transport>;

export const transports: Record<string, OpenTransport> = {
  memory: async (handler) => createMemoryTransport(handler),
  "HTTP on a unix socket": async (handler) => {
    const folder = await mkdtemp(join(tmpdir(), "cleat-"));
    const server = createHttpServer(handler).listen(join(folder, "s"));
    await once(server, "listening");
    closers.push(async () => {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true });
    });
    return createHttpTransport({ unix: join(folder, "s") });
  },
  "HTTP on TCP": async (handler) => {
    const server = createHttpServer(handler).listen(0, "127.0.0.1");
    await once(server, "listening");
    closers.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as { port: number };
    return createHttpTransport({ tcp: { host: "127.0.0.1", port } });
  },
  HTTPS: async (handler) => {
    const server = createHttpServer(handler, { tls: { ...identity("server"), clientCa: pem("ca.pem") } });
    await once(server.listen(0, "127.0.0.1"), "listening");
    closers.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as { port: number };
    return createHttpTransport(
      { https: { host: "127.0.0.1", port } },
      { tls: { ca: pem("ca.pem"), ...identity("client") } },
    );
  },
};

type Implementation = ServerImplementation<typeof protocol>;

export async function connect(open: OpenTransport, overrides: Partial<Implementation> = {}, maxReplyBytes = 1_000_000) {
  const handler = createHandler([implement(protocol, { ...plain, ...overrides })]);
  const transport = await open(handler);
  closers.push(() => transport.close());
  return createClient(protocol, transport, { plugin: "p", maxReplyBytes });
}

export function withResolvers<T>() {
  let resolve!: (value: T | PromiseLike<T>) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** Resolves when a stream is closed, whether or not it failed. */
export function closed(stream: Readable): Promise<void> {
  stream.on("error", () => {});
  return new Promise((resolve) => stream.once("close", resolve));
}
