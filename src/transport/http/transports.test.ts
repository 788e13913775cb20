/** One set of cases for every transport: what holds in memory holds over HTTP. */
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { CleatError, RemoteError } from "../../errors/index.ts";
import { chunks, closeAll, connect, transports, withResolvers } from "./transports.test.support.ts";

afterEach(closeAll);

describe.each(Object.entries(transports))("over %s", (_name, open) => {
  it("calls and streams both ways", async () => {
    const client = await connect(open);
    expect(await client.echo({ Text: "héllo" })).toEqual({ Text: "héllo" });
    expect(await client.upload({ id: "a b&c" }, { body: Readable.from(chunks(300_000)) })).toEqual({ Size: 300_000 });
    expect((await buffer(await client.download({ Bytes: 300_000 }))).byteLength).toBe(300_000);
    expect((await buffer(await client.download({ Bytes: 0 }))).byteLength).toBe(0);
    expect(await client.upload({ id: "empty" }, { body: Readable.from([]) })).toEqual({ Size: 0 });
  });

  it("brings the query as it was", async () => {
    let seen = "";
    const client = await connect(open, { upload: async ({ id }) => ((seen = id), { Size: 0 }) });
    await client.upload({ id: "a b+c/../%2f&d=ü" }, { body: Readable.from([]) });
    expect(seen).toBe("a b+c/../%2f&d=ü");
  });

  it("keeps code and message of a failure", async () => {
    const client = await connect(open, {
      echo: async () => Promise.reject(new CleatError("NOT_FOUND", 'layer "x" does not exist')),
    });
    const failure = await client.echo({ Text: "" }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RemoteError);
    expect(failure).toMatchObject({ code: "NOT_FOUND", plugin: "p", method: "/Test.Echo", httpStatus: 500 });
    expect(failure).toHaveProperty("message", expect.stringContaining('layer "x" does not exist'));
  });

  it("says UNIMPLEMENTED for an optional method that is missing", async () => {
    const client = await connect(open);
    await expect(client.extra({})).rejects.toMatchObject({ code: "UNIMPLEMENTED", httpStatus: 404 });
  });

  it("refuses an answer over the cap", async () => {
    const client = await connect(open, { echo: async () => ({ Text: "x".repeat(5_000) }) }, 1_000);
    await expect(client.echo({ Text: "" })).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      message: expect.stringContaining("over 1000 bytes"),
    });
  });

  it("does not let an implementation answer what the schema forbids", async () => {
    const client = await connect(open, { echo: async () => ({}) as never });
    await expect(client.echo({ Text: "" })).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("gives a call up at its deadline and when told to", async () => {
    const client = await connect(open, { echo: () => new Promise(() => {}) });
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
    const client = await connect(open, {
      echo: (_, { signal }) => {
        signal.addEventListener("abort", () => told.resolve());
        giveUp.abort();
        return new Promise(() => {});
      },
    });
    await expect(client.echo({ Text: "" }, { signal: giveUp.signal })).rejects.toMatchObject({ code: "CANCELLED" });
    await told.promise;
  });

  it("runs calls side by side", async () => {
    const both = withResolvers<void>();
    let running = 0;
    const client = await connect(open, {
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
