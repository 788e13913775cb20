import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { streamArchive } from "../diff/short-archive.ts";
import { createPeerStreams } from "./peer-streams.ts";

const patienceMs = 150;
const text = (from: AsyncIterable<Uint8Array>) => buffer(from as Readable).then(String);

async function* send(first: string, rest: Promise<string>): AsyncGenerator<Uint8Array, undefined> {
  yield Buffer.from(first);
  yield Buffer.from(await rest);
}

const never = new Promise<never>(() => {});

/** Sends a byte every few milliseconds, for good. */
async function* dribble(): AsyncGenerator<Uint8Array, undefined> {
  for (;;) {
    yield Buffer.from(".");
    await pause(5);
  }
}

describe("a sender", () => {
  it("that nobody waits for may take any time", async () => {
    const peers = createPeerStreams(patienceMs);
    const late = pause(3 * patienceMs).then(() => "b");
    expect(await peers.receive("l", send("a", late), text)).toBe("ab");
  });

  it.each([
    ["is silent from the start", Readable.from(send("", never))],
    ["falls silent", send("a", never)],
    ["dribbles", dribble()],
  ])("that %s is broken off when somebody waits for its layer", async (_, source) => {
    const peers = createPeerStreams(patienceMs);
    const sent = peers.receive("l", source, text);
    const settled = Promise.allSettled([sent]);
    await peers.outlast("l", () => settled);
    await expect(sent).rejects.toMatchObject({
      code: "ABORTED",
      message: expect.stringContaining('layer "l"') as string,
    });
  });

  it("of another layer than the one that is waited for is left alone", async () => {
    const peers = createPeerStreams(patienceMs);
    const late = pause(4 * patienceMs).then(() => "b");
    const sent = peers.receive("other", send("a", late), text);
    await peers.outlast("l", () => pause(3 * patienceMs));
    expect(await sent).toBe("ab");
  });

  it("that is held back by who reads it is left alone", async () => {
    const peers = createPeerStreams(patienceMs);
    const sent = peers.receive("l", send("a", Promise.resolve("b")), async (source) => {
      let all = "";
      for await (const bytes of source) {
        await pause(3 * patienceMs);
        all += String(bytes);
      }
      return all;
    });
    const settled = Promise.allSettled([sent]);
    await peers.outlast(undefined, () => settled);
    expect(await sent).toBe("ab");
  });
});

describe("a reader", () => {
  const large = Buffer.alloc(2 ** 20, "x");

  it.each([
    ["has forgotten its stream", () => {}],
    ["has stopped", (stream: Readable) => void stream.once("data", () => stream.pause())],
    ["has left its iterator", (stream: Readable) => void stream[Symbol.asyncIterator]().next()],
  ])("that %s is broken off when somebody waits", async (_, read) => {
    const peers = createPeerStreams(patienceMs);
    const stream = Readable.from([large, large], { objectMode: false });
    peers.follow(stream);
    read(stream);
    const closed = new Promise((resolve) => stream.once("close", resolve));
    await peers.outlast(undefined, () => closed);
    expect(stream.readableEnded).toBe(false);
  });

  it("that waits for what is not there yet is left alone", async () => {
    const peers = createPeerStreams(patienceMs);
    const stream = Readable.from(
      send(
        "a",
        pause(4 * patienceMs).then(() => "b"),
      ),
      { objectMode: false },
    );
    peers.follow(stream);
    const read = text(stream);
    await peers.outlast(undefined, () => read);
    expect(await read).toBe("ab");
  });

  it("that is there already is left alone, whenever it is read", async () => {
    const peers = createPeerStreams(patienceMs);
    const stream = streamArchive(Buffer.from("an archive"));
    peers.follow(stream);
    await peers.outlast(undefined, () => pause(4 * patienceMs));
    expect(await text(stream)).toBe("an archive");
  });

  it("that answers come to only while somebody waits is broken off too", async () => {
    const peers = createPeerStreams(patienceMs);
    const stream = Readable.from([large], { objectMode: false });
    const closed = new Promise((resolve) => stream.once("close", resolve));
    await peers.outlast(undefined, async () => {
      await pause(1);
      peers.follow(stream);
      return closed;
    });
    expect(stream.destroyed).toBe(true);
  });
});
