import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callbackify } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { createGrpcChannel } from "./client/channel.ts";
import { createGrpcClient } from "./client/client.ts";
import { createEcho, echoService, type EchoServer, serveEcho, until } from "./grpc.test.support.ts";
import { sixteenMebibytes, toGrpcJs } from "./grpc-js.test.support.ts";

const mebibyte = 1024 * 1024;
const definition = toGrpcJs(echoService);

type Answer = { text: string; data: Uint8Array; number: number };
type Unary = (
  request: object,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  callback: (error: grpc.ServiceError | null, answer: Answer) => void,
) => grpc.ClientUnaryCall;
interface EchoClient extends grpc.Client {
  once: Unary;
  wait: Unary;
  many(request: object): grpc.ClientReadableStream<Answer>;
  gather(callback: (error: grpc.ServiceError | null, answer: Answer) => void): grpc.ClientWritableStream<object>;
  converse(): grpc.ClientDuplexStream<object, Answer>;
}

describe("a client of grpc-js at our server", () => {
  const Client = grpc.makeGenericClientConstructor(definition, "Echo");

  function connect(server: EchoServer) {
    const client = new Client(`unix://${server.path}`, grpc.credentials.createInsecure(), sixteenMebibytes);
    return { client: client as unknown as EchoClient, [Symbol.dispose]: () => client.close() };
  }
  function ask(call: Unary, request: object, options: grpc.CallOptions = {}, metadata = new grpc.Metadata()) {
    return new Promise<Answer>((resolve, reject) => {
      call(request, metadata, options, (error, answer) => (error === null ? resolve(answer) : reject(error)));
    });
  }

  it("is answered, with 15 MiB each way", async () => {
    await using server = await serveEcho();
    using peer = connect(server);
    const metadata = new grpc.Metadata();
    metadata.set("containerd-namespace", "k8s.io");
    const data = Buffer.alloc(15 * mebibyte, 9);
    const answer = await ask(peer.client.once.bind(peer.client), { text: "\u00fc", data }, {}, metadata);
    expect(answer.text).toBe("\u00fc");
    expect(data.equals(answer.data)).toBe(true);
    expect(server.seen.metadata).toMatchObject({ "containerd-namespace": "k8s.io" });
  });

  it("gets codes and messages", async () => {
    await using server = await serveEcho();
    using peer = connect(server);
    const once = peer.client.once.bind(peer.client);
    const text = 'snapshot "\u00fc 100%\u{1f9f5}\n" is gone';
    await expect(ask(once, { text, fail: "NOT_FOUND" })).rejects.toMatchObject({ code: 5, details: text });
    await expect(ask(once, { text: "why", fail: "throw" })).rejects.toMatchObject({ code: 2, details: "why" });
    await expect(ask(once, { data: Buffer.alloc(17 * mebibyte) })).rejects.toMatchObject({ code: 8 });
    expect((await ask(once, { text: "after" })).text).toBe("after");
  });

  it("is told of a method that there is not", async () => {
    await using server = await serveEcho();
    const other = { ask: { ...definition["once"], path: "/test.Other/Ask" } } as unknown as grpc.ServiceDefinition;
    const Other = grpc.makeGenericClientConstructor(other, "Other");
    const client = new Other(`unix://${server.path}`, grpc.credentials.createInsecure());
    const asked = ask((client as unknown as { ask: Unary }).ask.bind(client), {});
    await expect(asked).rejects.toMatchObject({
      code: 12,
      details: expect.stringContaining("/test.Other/Ask") as string,
    });
    client.close();
  });

  it("has its deadline kept, and its cancelling heard", async () => {
    await using server = await serveEcho();
    using peer = connect(server);
    const wait = peer.client.wait.bind(peer.client);
    await expect(ask(wait, {}, { deadline: Date.now() + 60 })).rejects.toMatchObject({ code: 4 });
    await until(() => server.seen.aborted.length === 1);
    const call = peer.client.wait({}, new grpc.Metadata(), {}, () => {});
    await until(() => server.seen.sent === 2);
    call.cancel();
    await until(() => server.seen.aborted.length === 2);
    expect(server.seen.aborted[1]).toBe("CANCELLED");
  });

  it("streams each way", async () => {
    await using server = await serveEcho();
    using peer = connect(server);
    const numbers: number[] = [];
    for await (const { number } of peer.client.many({ count: 300 }) as AsyncIterable<Answer>) numbers.push(number);
    expect(numbers).toHaveLength(300);

    const none: Answer[] = [];
    for await (const answer of peer.client.many({ count: 0 }) as AsyncIterable<Answer>) none.push(answer);
    expect(none).toEqual([]);

    const failing = peer.client.many({ count: 2, fail: "INVALID_ARGUMENT", text: "bad filter" });
    const failure = await new Promise((resolve) => failing.on("data", () => {}).on("error", resolve));
    expect(failure).toMatchObject({ code: 3, details: "bad filter" });

    const gathered = await new Promise<Answer>((resolve, reject) => {
      const call = peer.client.gather((error, answer) => (error === null ? resolve(answer) : reject(error)));
      for (const text of ["a", "b"]) call.write({ text, data: Buffer.alloc(100_000) });
      call.end();
    });
    expect(gathered).toMatchObject({ text: "ab", number: 200_000 });

    const talk = peer.client.converse();
    const heard: string[] = [];
    talk.write({ text: "1" });
    for await (const { text } of talk as AsyncIterable<Answer>) {
      heard.push(text);
      if (heard.length < 3) talk.write({ text: String(heard.length + 1) });
      else talk.end();
    }
    expect(heard).toEqual(["1", "2", "3"]);
  });

  it("that still sends is told to stop when its call has failed", async () => {
    await using server = await serveEcho();
    using peer = connect(server);
    const failure = await new Promise((resolve) => {
      const call = peer.client.gather((error) => resolve(error));
      call.on("error", () => {});
      call.write({ text: "no", fail: "ABORTED" });
    });
    expect(failure).toMatchObject({ code: 10, details: "no" });
  });

  it("goes on without a failure over a restart of the server, once it is there again", async () => {
    await using server = await serveEcho();
    using peer = connect(server);
    const once = peer.client.once.bind(peer.client);
    await ask(once, {});
    const running = ask(peer.client.wait.bind(peer.client), {}, { deadline: Date.now() + 100 });
    running.catch(() => {});
    await server.running.close();
    await server.restart();
    const options = { deadline: Date.now() + 10_000 } as grpc.CallOptions;
    const metadata = new grpc.Metadata({ waitForReady: true });
    expect((await ask(once, { text: "again" }, options, metadata)).text).toBe("again");
  });
});

describe("our client at a server of grpc-js", () => {
  async function serve() {
    const folder = await mkdtemp(join(tmpdir(), "cleat-grpc-"));
    const { implementation } = createEcho();
    const server = new grpc.Server(sixteenMebibytes);
    const fail = (error: unknown) => ({ code: 5, details: (error as Error).message });
    const handlers = {
      once(call: grpc.ServerUnaryCall<never, object>, callback: grpc.sendUnaryData<object>) {
        const seen = { signal: new AbortController().signal, metadata: {} };
        const answer = callbackify(() => implementation.once(call.request, seen));
        answer((error, value) => callback(error === null ? null : fail(error), value));
      },
      many(call: grpc.ServerWritableStream<{ count: number; text: string; fail: string }, object>) {
        for (let number = 0; number < call.request.count; number++) call.write({ number });
        if (call.request.fail === "") call.end();
        else call.emit("error", fail(new Error(call.request.text)));
      },
      gather(call: grpc.ServerReadableStream<Answer, object>, callback: grpc.sendUnaryData<object>) {
        let number = 0;
        call.on("data", ({ data }: Answer) => (number += data.length));
        call.on("end", () => callback(null, { number }));
      },
      converse(call: grpc.ServerDuplexStream<Answer, object>) {
        call.on("data", (request: Answer) => call.write(request));
        call.on("end", () => call.end());
      },
      wait() {},
    };
    server.addService(definition, handlers as unknown as grpc.UntypedServiceImplementation);
    const path = join(folder, "s.sock");
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix://${path}`, grpc.ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    const channel = createGrpcChannel({ unix: path });
    return {
      client: createGrpcClient(echoService, channel),
      async [Symbol.asyncDispose]() {
        await channel.close();
        server.forceShutdown();
        await rm(folder, { recursive: true });
      },
    };
  }

  it("calls it in each way", async () => {
    await using peer = await serve();
    const data = Buffer.alloc(15 * mebibyte, 3);
    const answer = await peer.client.once({ text: "\u00e9", data });
    expect(answer.text).toBe("\u00e9");
    expect(data.equals(answer.data)).toBe(true);

    const numbers: number[] = [];
    for await (const { number } of peer.client.many({ count: 300 })) numbers.push(number);
    expect(numbers).toHaveLength(300);

    const requests = async function* () {
      for (const text of ["a", "b", "c"]) yield { text, data: Buffer.alloc(100_000) };
    };
    expect(await peer.client.gather(requests())).toMatchObject({ number: 300_000 });
    const heard: string[] = [];
    for await (const { text } of peer.client.converse(requests())) heard.push(text);
    expect(heard).toEqual(["a", "b", "c"]);
  });

  it("reads its codes and messages", async () => {
    await using peer = await serve();
    const text = 'content "\u00fc 100%\u{1f9f5}\n" is gone';
    const expected = { code: "NOT_FOUND", remoteMessage: text };
    await expect(peer.client.once({ text, fail: "NOT_FOUND" })).rejects.toMatchObject(expected);
    const reading = (async () => {
      for await (const answer of peer.client.many({ count: 2, text, fail: "NOT_FOUND" })) expect(answer).toBeDefined();
    })();
    await expect(reading).rejects.toMatchObject(expected);
    await expect(peer.client.once({ data: Buffer.alloc(16 * mebibyte) })).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
    });
  });

  it("gives up at its deadline", async () => {
    await using peer = await serve();
    await expect(peer.client.wait({}, { timeoutMs: 60 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });
});
