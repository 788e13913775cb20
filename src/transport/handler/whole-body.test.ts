import { once } from "node:events";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, it } from "vitest";
import { takeWhole } from "./whole-body.ts";

/** Pushes `pieces` at once, and ends where they do if `ends`. */
function streamOf(pieces: readonly Buffer[], ends: boolean): Readable {
  let isPushed = false;
  return new Readable({
    read() {
      if (isPushed) return;
      isPushed = true;
      for (const piece of pieces) this.push(piece);
      if (ends) this.push(null);
    },
  });
}

/** As who answers with it has it. */
async function begun(stream: Readable): Promise<Readable> {
  const listener = (): void => {};
  const readable = once(stream, "readable");
  stream.on("readable", listener);
  await readable;
  stream.off("readable", listener);
  return stream;
}

it("takes a short stream that has ended", async () => {
  const stream = await begun(streamOf([Buffer.from("some "), Buffer.from("bytes")], true));
  expect(String(await takeWhole(stream))).toBe("some bytes");
  expect(stream.readableEnded).toBe(true);
});

it("leaves one that goes on as it was, whatever comes meanwhile", async () => {
  const stream = await begun(streamOf([Buffer.from("first ")], false));
  const taken = takeWhole(stream);
  stream.push("second ");
  expect(await taken).toBeUndefined();
  stream.push("third");
  stream.push(null);
  expect(String(await buffer(stream))).toBe("first second third");
});

it("leaves a long one", async () => {
  const long = Buffer.alloc(64 * 1024 + 1, 7);
  const stream = await begun(streamOf([long], true));
  expect(await takeWhole(stream)).toBeUndefined();
  expect((await buffer(stream)).equals(long)).toBe(true);
});

it("tells of a failure when what the stream needed is given back", async () => {
  const log: string[] = [];
  const stream = new Readable({
    read() {},
    destroy(error, done) {
      setImmediate(() => {
        log.push("given back");
        done(error);
      });
    },
  });
  stream.push(Buffer.from("first"));
  const taken = takeWhole(await begun(stream)).catch((error: Error) => log.push(error.message));
  stream.destroy(new Error("bad disk"));
  await taken;
  expect(log).toEqual(["given back", "bad disk"]);
});

it("does not take one that breaks off for one that ends", async () => {
  const stream = await begun(streamOf([Buffer.from("first")], false));
  const taken = takeWhole(stream);
  stream.destroy(new Error("bad disk"));
  await expect(taken).rejects.toThrow("bad disk");
});
