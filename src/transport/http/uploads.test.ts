/** An upload that breaks off is an error on both sides, over every transport. */
import { Readable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { chunks, closeAll, closed, connect, transports, withResolvers } from "./transports.test.support.ts";

afterEach(closeAll);

describe.each(Object.entries(transports))("over %s", (_name, open) => {
  it("makes an upload that its source breaks off an error on both sides, never a clean end", async () => {
    const begun = withResolvers<void>();
    const seen = withResolvers<unknown>();
    const client = await connect(open, {
      upload: async (_, { body }) => {
        try {
          for await (const chunk of body) if (chunk.byteLength > 0) begun.resolve();
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
      await begun.promise; // else it may be given up before there is a connection, which the server never hears of
      throw new Error("disk unplugged");
    };
    await expect(client.upload({ id: "a" }, { body: source() })).rejects.toThrow("disk unplugged");
    expect(await seen.promise).toBeInstanceOf(Error);
  });

  it("makes an upload that the caller gives up an error, never a clean end", async () => {
    const giveUp = new AbortController();
    const seen = withResolvers<unknown>();
    const client = await connect(open, {
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
    const client = await connect(open, {
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

  it("holds an upload back that nobody reads", async () => {
    let produced = 0;
    const resume = withResolvers<void>();
    const client = await connect(open, {
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
});
