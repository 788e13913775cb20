import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { forEachChunk } from "./for-each-chunk.ts";

it("reads any stream to its end, and waits for each visit", async () => {
  const seen: string[] = [];
  await forEachChunk(Readable.from([Buffer.from("a"), Buffer.from("b")]), async (chunk) => {
    await new Promise(setImmediate);
    seen.push(Buffer.from(chunk).toString());
  });
  expect(seen).toEqual(["a", "b"]);
});

it("destroys the stream where a visit fails", async () => {
  const stream = Readable.from([Buffer.from("a"), Buffer.from("b")]);
  const visit = (): never => {
    throw new Error("enough");
  };
  await expect(forEachChunk(stream, visit)).rejects.toThrow("enough");
  expect(stream.destroyed).toBe(true);
});

/** A stream whose maker shows what it has, and notes that it was asked to. */
function createMaker() {
  let asked = 0;
  const stream = Object.assign(Readable.from([Buffer.from("read")], { objectMode: false }), {
    async visitChunks(visit: (chunk: Uint8Array) => unknown) {
      asked++;
      await visit(Buffer.from("shown"));
    },
  });
  return { stream, asked: () => asked };
}

it("has a maker of chunks show them, but for who has begun to read", async () => {
  const seen: string[] = [];
  const visit = (chunk: Uint8Array): void => void seen.push(Buffer.from(chunk).toString());
  const fresh = createMaker();
  await forEachChunk(fresh.stream, visit);
  const begun = createMaker();
  begun.stream.unshift(Buffer.from("first "));
  expect(begun.stream.read(6)?.toString()).toBe("first ");
  await forEachChunk(begun.stream, visit);
  expect([fresh.asked(), begun.asked()]).toEqual([1, 0]);
  expect(seen).toEqual(["shown", "read"]);
});
