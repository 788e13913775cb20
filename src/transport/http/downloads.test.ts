/** A download that breaks off is an error, over every transport. */
import { once } from "node:events";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { CleatError, TransportError } from "../../errors/index.ts";
import { chunks, closeAll, closed, connect, transports } from "./transports.test.support.ts";

afterEach(closeAll);

describe.each(Object.entries(transports))("over %s", (_name, open) => {
  it("answers a download that fails before its first byte", async () => {
    const client = await connect(open, {
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
    const client = await connect(open, {
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

  it("fails a download whose peer falls silent", async () => {
    const silent = () => {
      let sent = false;
      return new Readable({
        read() {
          if (!sent) this.push(Buffer.alloc(10));
          sent = true;
        },
      });
    };
    const client = await connect(open, { download: async () => silent() });
    const stream = await client.download({ Bytes: 1 }, { timeoutMs: 200 });
    await expect(buffer(stream)).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  it("destroys the implementation's stream when the caller destroys its own", async () => {
    const source = Readable.from(chunks(100_000_000));
    const isClosed = closed(source);
    const client = await connect(open, { download: async () => source });
    const stream = await client.download({ Bytes: 1 });
    await once(stream, "readable");
    stream.destroy();
    await isClosed;
  });

  it("holds a download back that nobody reads", async () => {
    let produced = 0;
    const client = await connect(open, {
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
});
