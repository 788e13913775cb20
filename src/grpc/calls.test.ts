import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createGrpcChannel } from "./client/channel.ts";
import { createGrpcClient } from "./client/client.ts";
import { echoService, type EchoServer, serveEcho, until } from "./grpc.test.support.ts";

const mebibyte = 1024 * 1024;

function connect(server: EchoServer, options = {}) {
  const channel = createGrpcChannel({ unix: server.path });
  const client = createGrpcClient(echoService, channel, options);
  return { channel, client, [Symbol.asyncDispose]: () => channel.close() };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("a call", () => {
  it("brings a message there and an answer back, with metadata", async () => {
    await using server = await serveEcho();
    await using peer = connect(server, { metadata: { "containerd-namespace": "default", "x-own": "a" } });
    const answer = await peer.client.once({ text: "h\u00e9" }, { metadata: { "x-own": "b" } });
    expect(answer).toEqual({ text: "h\u00e9", data: new Uint8Array(0), number: 0 });
    expect(server.seen.metadata).toMatchObject({ "containerd-namespace": "default", "x-own": "b" });
  });

  it.each(["NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED", "DATA_LOSS"])(
    "that fails with %s brings code and message, whatever is in it",
    async (fail) => {
      await using server = await serveEcho();
      await using peer = connect(server);
      const text = 'snapshot "\u00fc%41\n\u{1f9f5}" is gone';
      await expect(peer.client.once({ text, fail })).rejects.toMatchObject({ code: fail, remoteMessage: text });
    },
  );

  it("that throws something without a code is UNKNOWN, and its stack is logged", async () => {
    const logged: Record<string, unknown>[] = [];
    const warn = (fields: object) => void logged.push(fields as Record<string, unknown>);
    const logger = { debug() {}, info() {}, warn, error() {} };
    await using server = await serveEcho({ logger });
    await using peer = connect(server);
    const failed = peer.client.once({ text: "no such luck", fail: "throw" });
    await expect(failed).rejects.toMatchObject({ code: "UNKNOWN", remoteMessage: "no such luck" });
    expect(logged).toMatchObject([{ method: "/test.Echo/Once", subject: "no such luck" }]);
    const [{ err }] = logged as [{ err: Error }];
    expect(err.stack).toMatch(/failIfAsked/);
  });

  it.each([
    ["NOT_FOUND", "debug"],
    ["ALREADY_EXISTS", "debug"],
    ["RESOURCE_EXHAUSTED", "warn"],
    ["INTERNAL", "warn"],
  ] as const)("that fails with %s is logged as %s", async (fail, level) => {
    const logged: string[] = [];
    const log = (name: string) => () => void logged.push(name);
    const logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
    await using server = await serveEcho({ logger });
    await using peer = connect(server);
    await expect(peer.client.once({ text: "", fail })).rejects.toMatchObject({ code: fail });
    expect(logged.filter((name) => name !== "info")).toEqual([level]);
  });

  it("cuts a message short that headers could not carry", async () => {
    await using server = await serveEcho();
    await using peer = connect(server);
    const failed = peer.client.once({ text: "\u00e4".repeat(mebibyte), fail: "NOT_FOUND" });
    await expect(failed).rejects.toMatchObject({ code: "NOT_FOUND" });
    const { remoteMessage } = (await failed.catch((error: unknown) => error)) as { remoteMessage: string };
    expect(remoteMessage).toBe(`${"\u00e4".repeat(4096)}...`);
  });

  it("may carry 15 MiB each way, and no more than the limit", async () => {
    await using server = await serveEcho();
    await using peer = connect(server);
    const data = Buffer.alloc(15 * mebibyte, 7);
    expect(data.equals((await peer.client.once({ data })).data)).toBe(true);
    await expect(peer.client.once({ data: Buffer.alloc(16 * mebibyte) })).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
    });
    await using careless = connect(server, { maxMessageBytes: 64 * mebibyte });
    const tooLong = careless.client.once({ data: Buffer.alloc(16 * mebibyte) });
    await expect(tooLong).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    await using modest = connect(server, { maxMessageBytes: mebibyte });
    const answer = collect(modest.client.many({ data: Buffer.alloc(mebibyte - 64), text: "x".repeat(64), count: 2 }));
    await expect(answer).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    expect((await peer.client.once({ text: "still there" })).text).toBe("still there");
  });

  it("is given up by its caller, which the server hears", async () => {
    await using server = await serveEcho();
    await using peer = connect(server);
    const given = new AbortController();
    const waiting = peer.client.wait({}, { signal: given.signal });
    await until(() => server.seen.sent === 1);
    given.abort();
    await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
    await until(() => server.seen.aborted.length === 1);
    expect(server.seen.aborted).toEqual(["CANCELLED"]);
  });

  it("has a deadline, in the client and in the server", async () => {
    await using server = await serveEcho();
    await using peer = connect(server);
    await expect(peer.client.wait({}, { timeoutMs: 60 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await until(() => server.seen.aborted.length === 1);
    expect(["CANCELLED", "DEADLINE_EXCEEDED"]).toContain(server.seen.aborted[0]);
  });

  it("finds a server that was restarted", async () => {
    await using server = await serveEcho();
    await using peer = connect(server);
    await peer.client.once({});
    await server.running.close();
    await expect(peer.client.once({})).rejects.toMatchObject({ code: "UNAVAILABLE", reachedPeer: false });
    await server.restart();
    expect((await peer.client.once({ text: "again" })).text).toBe("again");
  });

  it("stands beside a thousand others", async () => {
    await using server = await serveEcho();
    await using peer = connect(server);
    const texts = Array.from({ length: 1_000 }, (_, index) => `call ${index}`);
    const answers = await Promise.all(texts.map((text) => peer.client.once({ text })));
    expect(answers.map(({ text }) => text)).toEqual(texts);
  });
});

describe("a stream", () => {
  it("of answers comes whole, and may be empty", async () => {
    await using server = await serveEcho();
    await using peer = connect(server);
    const numbers = (await collect(peer.client.many({ count: 500 }))).map(({ number }) => number);
    expect(numbers).toEqual(Array.from({ length: 500 }, (_, index) => index));
    expect(await collect(peer.client.many({ count: 0 }))).toEqual([]);
  });

  it.each([0, 3])("of answers fails after %i of them", async (count) => {
    await using server = await serveEcho();
    await using peer = connect(server);
    const got: number[] = [];
    const reading = (async () => {
      for await (const { number } of peer.client.many({ count, fail: "ABORTED", text: "enough" })) got.push(number);
    })();
    await expect(reading).rejects.toMatchObject({ code: "ABORTED", remoteMessage: "enough" });
    expect(got).toHaveLength(count);
  });

  it("that nobody reads holds the server back, and no other call", async () => {
    await using server = await serveEcho();
    await using peer = connect(server);
    const data = Buffer.alloc(mebibyte);
    for await (const { number } of peer.client.many({ count: 100, data })) {
      expect((await peer.client.once({ text: "meanwhile" })).text).toBe("meanwhile");
      if (number === 1) break;
    }
    expect(server.seen.sent).toBeLessThan(10);
    await until(() => server.seen.left.length === 1);
    expect(server.seen.aborted).toEqual(["CANCELLED"]);
  });

  it.each([
    ["while more of them come", 100],
    ["when all have come", 4],
  ])("that its caller leaves with answers unread, %s, is let go of, and its channel closes", async (_when, count) => {
    await using server = await serveEcho();
    const { channel, client } = connect(server);
    const data = Buffer.alloc(15_000);
    for await (const { number } of client.many({ count, data })) {
      expect(number).toBe(0);
      await delay(200);
      break;
    }
    await channel.close();
    expect(server.seen.left).toEqual(["many"]);
  });

  it("of requests is answered once", async () => {
    await using server = await serveEcho();
    await using peer = connect(server);
    const answer = await peer.client.gather(
      (async function* () {
        for (const text of ["a", "b", "c"]) yield { text, data: Buffer.alloc(mebibyte) };
      })(),
    );
    expect(answer).toMatchObject({ text: "abc", number: 3 * mebibyte });
  });

  it("of requests ends with the server's refusal, though the caller goes on", async () => {
    await using server = await serveEcho();
    await using peer = connect(server);
    let left = false;
    const endless = async function* () {
      try {
        yield { text: "no", fail: "OUT_OF_RANGE" };
        for (;;) yield { data: Buffer.alloc(65_536) };
      } finally {
        left = true;
      }
    };
    await expect(peer.client.gather(endless())).rejects.toMatchObject({ code: "OUT_OF_RANGE", remoteMessage: "no" });
    await until(() => left);
    await expect(collect(peer.client.converse(endless()))).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
  });

  it("of requests that fails is the caller's own failure", async () => {
    await using server = await serveEcho();
    await using peer = connect(server);
    const failing = async function* () {
      yield { text: "a" };
      throw new RangeError("source is dry");
    };
    await expect(peer.client.gather(failing())).rejects.toThrow(new RangeError("source is dry"));
    await expect(collect(peer.client.converse(failing()))).rejects.toThrow(new RangeError("source is dry"));
    await until(() => server.seen.aborted.length === 1);
  });

  it("both ways goes step by step", async () => {
    await using server = await serveEcho();
    await using peer = connect(server);
    const heard: string[] = [];
    let answered: (() => void) | undefined;
    const questions = async function* () {
      for (const text of ["one", "two", "three"]) {
        const answer = new Promise<void>((resolve) => (answered = resolve));
        yield { text };
        await answer;
      }
    };
    for await (const { text } of peer.client.converse(questions())) {
      heard.push(text);
      answered?.();
    }
    expect(heard).toEqual(["one", "two", "three"]);
  });

  it("ends when the peer is silent for longer than the deadline, not when the caller is", async () => {
    await using server = await serveEcho();
    await using peer = connect(server, { timeoutMs: 100 });
    const slow = async function* () {
      await new Promise((resolve) => setTimeout(resolve, 250));
      yield { text: "late" };
    };
    expect(await collect(peer.client.converse(slow()))).toMatchObject([{ text: "late" }]);
    const pausing = async function* () {
      yield { text: "early" };
      yield* slow();
    };
    expect(await collect(peer.client.converse(pausing()))).toMatchObject([{ text: "early" }, { text: "late" }]);
    const answers = peer.client.converse(
      (async function* () {
        yield* [];
        await new Promise(() => {});
      })(),
      { signal: AbortSignal.timeout(50) },
    );
    await expect(collect(answers)).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("a server that closes", () => {
  it("lets running calls finish, and takes no new ones", async () => {
    await using server = await serveEcho({ drainTimeoutMs: 5_000 });
    await using peer = connect(server);
    const got: number[] = [];
    let closing: Promise<void> | undefined;
    for await (const { number } of peer.client.many({ count: 50, data: Buffer.alloc(100_000) })) {
      got.push(number);
      closing ??= server.running.close();
    }
    expect(got).toHaveLength(50);
    await closing;
    await expect(peer.client.once({})).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("breaks off what does not end in time", async () => {
    await using server = await serveEcho({ drainTimeoutMs: 50 });
    await using peer = connect(server);
    const waiting = peer.client.wait({});
    await peer.client.once({});
    const closed = server.running.close();
    await expect(waiting).rejects.toMatchObject({ code: expect.stringMatching(/UNAVAILABLE|CANCELLED/) as string });
    await closed;
  });
});

describe("calls that come while a server closes and another takes its place", () => {
  it("are answered, or fail as UNAVAILABLE; none hangs or fails otherwise", async () => {
    await using server = await serveEcho({ drainTimeoutMs: 5_000 });
    await using peer = connect(server);
    const outcomes = new Map<string, number>();
    const over = new AbortController();
    const call = async () => {
      while (!over.signal.aborted) {
        const outcome = await peer.client.once({ text: "x" }).then(
          () => "ok",
          (error: { code: string }) => error.code,
        );
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        await new Promise(setImmediate);
      }
    };
    const callers = Array.from({ length: 20 }, call);
    let running = server.running;
    for (let restarts = 0; restarts < 5; restarts++) {
      const before = outcomes.get("ok") ?? 0;
      await until(() => (outcomes.get("ok") ?? 0) > before + 40);
      await running.close();
      running = await server.restart();
    }
    over.abort();
    await Promise.all(callers);
    outcomes.delete("ok");
    outcomes.delete("UNAVAILABLE");
    expect([...outcomes]).toEqual([]);
  });
});

it("a channel may be closed twice, also at once", async () => {
  await using server = await serveEcho();
  const { channel, client } = connect(server);
  await client.once({ text: "a" });
  await Promise.all([channel.close(), channel.close()]);
  await channel.close();
});
