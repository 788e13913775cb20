/** One set of cases for every transport: what holds in memory holds over HTTP. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { CleatError, RemoteError, TransportError } from "../errors/index.ts";
import { defineProtocol, goStruct, type ServerImplementation } from "../protocol/index.ts";
import {
  createClient,
  createHandler,
  createHttpServer,
  createHttpTransport,
  createMemoryTransport,
  type Handler,
  implement,
  type Transport,
} from "./index.ts";

const facts = { timeoutMs: 5_000, source: "this test" } as const;
const protocol = defineProtocol({
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
      request: goStruct({ id: z.string() }),
      response: goStruct({ Size: z.int() }),
      ...facts,
    },
    download: { path: "/Test.Download", framing: "download", request: goStruct({ Bytes: z.int() }), ...facts },
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

const plain: ServerImplementation<typeof protocol> = {
  echo: async ({ Text }) => ({ Text }),
  upload: async (_, { body }) => {
    let size = 0;
    for await (const chunk of body) size += chunk.byteLength;
    return { Size: size };
  },
  download: async ({ Bytes }) => Readable.from(chunks(Bytes)),
};

function* chunks(bytes: number) {
  for (let left = bytes; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536), 7);
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const transports: Record<string, (handler: Handler) => Promise<Transport>> = {
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
};

describe.each(Object.entries(transports))("over %s", (_name, open) => {
  async function connect(overrides: Partial<ServerImplementation<typeof protocol>> = {}, maxReplyBytes = 1_000_000) {
    const handler = createHandler([implement(protocol, { ...plain, ...overrides })]);
    const transport = await open(handler);
    closers.push(() => transport.close());
    return createClient(protocol, transport, { plugin: "p", maxReplyBytes });
  }

  it("calls and streams both ways", async () => {
    const client = await connect();
    expect(await client.echo({ Text: "héllo" })).toEqual({ Text: "héllo" });
    expect(await client.upload({ id: "a b&c" }, { body: Readable.from(chunks(300_000)) })).toEqual({ Size: 300_000 });
    expect((await buffer(await client.download({ Bytes: 300_000 }))).byteLength).toBe(300_000);
    expect((await buffer(await client.download({ Bytes: 0 }))).byteLength).toBe(0);
    expect(await client.upload({ id: "empty" }, { body: Readable.from([]) })).toEqual({ Size: 0 });
  });

  it("brings the query as it was", async () => {
    let seen = "";
    const client = await connect({ upload: async ({ id }) => ((seen = id), { Size: 0 }) });
    await client.upload({ id: "a b+c/../%2f&d=ü" }, { body: Readable.from([]) });
    expect(seen).toBe("a b+c/../%2f&d=ü");
  });

  it("keeps code and message of a failure", async () => {
    const client = await connect({
      echo: async () => Promise.reject(new CleatError("NOT_FOUND", 'layer "x" does not exist')),
    });
    const failure = await client.echo({ Text: "" }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RemoteError);
    expect(failure).toMatchObject({ code: "NOT_FOUND", plugin: "p", method: "/Test.Echo", httpStatus: 500 });
    expect(failure).toHaveProperty("message", expect.stringContaining('layer "x" does not exist'));
  });

  it("says UNIMPLEMENTED for an optional method that is missing", async () => {
    const client = await connect();
    await expect(client.extra({})).rejects.toMatchObject({ code: "UNIMPLEMENTED", httpStatus: 404 });
  });

  it("refuses an answer over the cap", async () => {
    const client = await connect({ echo: async () => ({ Text: "x".repeat(5_000) }) }, 1_000);
    await expect(client.echo({ Text: "" })).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      message: expect.stringContaining("over 1000 bytes"),
    });
  });

  it("does not let an implementation answer what the schema forbids", async () => {
    const client = await connect({ echo: async () => ({}) as never });
    await expect(client.echo({ Text: "" })).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("gives a call up at its deadline and when told to", async () => {
    const client = await connect({ echo: () => new Promise(() => {}) });
    await expect(client.echo({ Text: "" }, { timeoutMs: 20 })).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      message: expect.stringContaining("/Test.Echo on "),
    });
    const giveUp = new AbortController();
    const call = client.echo({ Text: "" }, { signal: giveUp.signal });
    giveUp.abort();
    await expect(call).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("tells the implementation when the caller gave up", async () => {
    const told = withResolvers<void>();
    const giveUp = new AbortController();
    const client = await connect({
      echo: (_, { signal }) => {
        signal.addEventListener("abort", () => told.resolve());
        giveUp.abort();
        return new Promise(() => {});
      },
    });
    await expect(client.echo({ Text: "" }, { signal: giveUp.signal })).rejects.toMatchObject({ code: "CANCELLED" });
    await told.promise;
  });

  it("makes an upload that its source breaks off an error on both sides, never a clean end", async () => {
    const seen = withResolvers<unknown>();
    const client = await connect({
      upload: async (_, { body }) => {
        try {
          for await (const chunk of body) void chunk;
          seen.resolve("clean end");
        } catch (error) {
          seen.resolve(error);
          throw error;
        }
        return { Size: 0 };
      },
    });
    const source = async function* () {
      yield Buffer.alloc(100_000);
      throw new Error("disk unplugged");
    };
    await expect(client.upload({ id: "a" }, { body: source() })).rejects.toThrow("disk unplugged");
    expect(await seen.promise).toBeInstanceOf(Error);
  });

  it("makes an upload that the caller gives up an error, never a clean end", async () => {
    const giveUp = new AbortController();
    const seen = withResolvers<unknown>();
    const client = await connect({
      upload: async (_, { body }) => {
        try {
          for await (const chunk of body) if (chunk.byteLength > 0) giveUp.abort();
          seen.resolve("clean end");
        } catch (error) {
          seen.resolve(error);
        }
        return { Size: 0 };
      },
    });
    const endless = async function* () {
      for (;;) yield Buffer.alloc(65_536);
    };
    const call = client.upload({ id: "a" }, { body: endless(), signal: giveUp.signal });
    await expect(call).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await seen.promise).toBeInstanceOf(Error);
  });

  it("answers a failure in the middle of an upload, and lets go of the source", async () => {
    const client = await connect({
      upload: async (_, { body }) => {
        for await (const chunk of body) throw new CleatError("DATA_LOSS", `bad block after ${chunk.byteLength > 0}`);
        return { Size: 0 };
      },
    });
    const source = Readable.from(chunks(50_000_000));
    const isClosed = closed(source);
    await expect(client.upload({ id: "a" }, { body: source })).rejects.toMatchObject({ code: "DATA_LOSS" });
    await isClosed;
    expect(
      await client.upload({ id: "b" }, { body: Readable.from(chunks(10)) }).catch((e: Error) => e.message),
    ).toMatch(/bad block/);
  });

  it("answers a download that fails before its first byte", async () => {
    const client = await connect({
      download: async () =>
        new Readable({
          read() {
            this.destroy(new CleatError("NOT_FOUND", "no such layer"));
          },
        }),
    });
    await expect(client.download({ Bytes: 1 })).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("fails a download that breaks off in the middle, and never ends it", async () => {
    const client = await connect({
      download: async () =>
        Readable.from(
          (async function* () {
            yield Buffer.alloc(70_000);
            throw new Error("bad disk");
          })(),
        ),
    });
    const stream = await client.download({ Bytes: 1 });
    const failure = await buffer(stream).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TransportError);
    expect(failure).toHaveProperty("message", expect.stringContaining("/Test.Download on "));
  });

  it("fails a download whose peer falls silent, but not one whose caller is slow", async () => {
    const client = await connect({
      download: async ({ Bytes }) =>
        new Readable({
          read() {
            if (Bytes > 0) this.push(Buffer.alloc(Bytes));
            Bytes = 0;
          },
        }),
    });
    const silent = await client.download({ Bytes: 10 }, { timeoutMs: 30 });
    await expect(buffer(silent)).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    const full = await client.download({ Bytes: 40_000_000 }, { timeoutMs: 30 });
    await expect(Promise.race([closed(full), new Promise((done) => setTimeout(done, 60, "open"))])).resolves.toBe(
      "open",
    );
    full.destroy();
  });

  it("destroys the implementation's stream when the caller destroys its own", async () => {
    const source = Readable.from(chunks(100_000_000));
    const isClosed = closed(source);
    const client = await connect({ download: async () => source });
    const stream = await client.download({ Bytes: 1 });
    await once(stream, "readable");
    stream.destroy();
    await isClosed;
  });

  it("holds a download back that nobody reads", async () => {
    let produced = 0;
    const client = await connect({
      download: async () =>
        new Readable({
          read() {
            produced += 65_536;
            this.push(produced > 64_000_000 ? null : Buffer.alloc(65_536));
          },
        }),
    });
    const stream = await client.download({ Bytes: 1 });
    let before = -1;
    while (produced !== before) {
      before = produced;
      await new Promise((done) => setTimeout(done, 20));
    }
    expect(produced).toBeLessThan(8_000_000);
    stream.destroy();
  });

  it("holds an upload back that nobody reads", async () => {
    let produced = 0;
    const resume = withResolvers<void>();
    const client = await connect({
      upload: async (_, { body }) => {
        await resume.promise;
        let size = 0;
        for await (const chunk of body) size += chunk.byteLength;
        return { Size: size };
      },
    });
    const source = async function* () {
      for (; produced < 64_000_000; produced += 65_536) yield Buffer.alloc(65_536);
    };
    const call = client.upload({ id: "a" }, { body: source() });
    let before = -1;
    while (produced !== before) {
      before = produced;
      await new Promise((done) => setTimeout(done, 20));
    }
    expect(produced).toBeLessThan(8_000_000);
    resume.resolve();
    expect((await call).Size).toBe(produced);
  });

  it("runs calls side by side", async () => {
    const both = withResolvers<void>();
    let running = 0;
    const client = await connect({
      echo: async ({ Text }) => {
        if (++running === 2) both.resolve();
        await both.promise;
        return { Text };
      },
    });
    expect(await Promise.all([client.echo({ Text: "1" }), client.echo({ Text: "2" })])).toEqual([
      { Text: "1" },
      { Text: "2" },
    ]);
  });
});

describe("a peer that is not there", () => {
  it("is UNAVAILABLE at once, with the address", async () => {
    const client = createClient(protocol, createHttpTransport({ unix: "/nowhere/x.sock" }));
    await expect(client.echo({ Text: "" })).rejects.toMatchObject({
      code: "UNAVAILABLE",
      reachedPeer: false,
      message: expect.stringContaining("unix:///nowhere/x.sock"),
    });
  });

  it("is waited for when asked to, and then gets the whole body", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cleat-"));
    const unix = join(folder, "s");
    const server = createHttpServer(createHandler([implement(protocol, plain)]));
    const transport = createHttpTransport({ unix });
    let tries = 0;
    const counted: Transport = {
      ...transport,
      send: async (request) => {
        if (++tries === 2) await once(server.listen(unix), "listening");
        return transport.send(request);
      },
    };
    const client = createClient(protocol, counted, { waitForPeerMs: 5_000 });
    expect(await client.upload({ id: "a" }, { body: Readable.from(chunks(200_000)) })).toEqual({ Size: 200_000 });
    expect(tries).toBe(2);
    await transport.close();
    server.close();
    await rm(folder, { recursive: true });
  });

  it("is not called again when the call may have reached it", async () => {
    let tries = 0;
    const transport: Transport = {
      address: "test:",
      send: async () => {
        tries++;
        throw new TransportError("UNAVAILABLE", "broke", { reachedPeer: true });
      },
      close: async () => {},
    };
    const client = createClient(protocol, transport, { waitForPeerMs: 5_000 });
    await expect(client.echo({ Text: "" })).rejects.toThrow("broke");
    expect(tries).toBe(1);
  });
});

function withResolvers<T>() {
  let resolve!: (value: T | PromiseLike<T>) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

function closed(stream: Readable): Promise<void> {
  stream.on("error", () => {});
  return new Promise((resolve) => stream.once("close", resolve));
}
