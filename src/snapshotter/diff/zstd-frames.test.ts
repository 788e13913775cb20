import * as zlib from "node:zlib";
import { pipeline } from "node:stream/promises";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDecompressor, detectCompression } from "./media-types.ts";
import { splitZstdFrames } from "./zstd-frames.ts";

const bytes = (number: number, count: number) => {
  const out = Buffer.alloc(count);
  out.writeUIntLE(number, 0, count);
  return out;
};
const header = (descriptor: number, count: number) => Buffer.concat([Buffer.of(descriptor), Buffer.alloc(count, 7)]);
const block = (type: number, size: number, isLast: boolean) =>
  Buffer.concat([bytes((size << 3) | (type << 1) | Number(isLast), 3), Buffer.alloc(type === 1 ? 1 : size, 9)]);

/** Every layout of a header, by its descriptor, and what it is long; RFC 8878, 3.1.1.1. */
const headers: readonly [descriptor: number, count: number][] = [
  [0b0000_0000, 1],
  [0b0010_0000, 1],
  [0b0000_0011, 5],
  [0b0110_0001, 3],
  [0b0100_0010, 5],
  [0b1000_0000, 5],
  [0b1010_0000, 4],
  [0b1100_0000, 9],
  [0b1110_0011, 12],
];

const anyBlock = fc.record({ type: fc.constantFrom(0, 1, 2), size: fc.nat(300) });
const anyFrame = fc
  .record({
    head: fc.constantFrom(...headers),
    blocks: fc.array(anyBlock, { minLength: 1, maxLength: 4 }),
    sum: fc.boolean(),
  })
  .map(({ head: [descriptor, count], blocks, sum }) =>
    Buffer.concat([
      bytes(0xfd2fb528, 4),
      header(descriptor | (sum ? 0b100 : 0), count),
      ...blocks.map(({ type, size }, at) => block(type, size, at === blocks.length - 1)),
      Buffer.alloc(sum ? 4 : 0, 3),
    ]),
  );
const anySkippable = fc
  .record({ kind: fc.nat(15), size: fc.nat(200) })
  .map(({ kind, size }) => Buffer.concat([bytes(0x184d2a50 + kind, 4), bytes(size, 4), Buffer.alloc(size, 0x28)]));

async function* inPieces(file: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < file.length; turn++) {
    const size = sizes[turn % sizes.length] as number;
    yield file.subarray(at, (at += size));
  }
}

async function piecesOf(file: Buffer, sizes: readonly number[]): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of splitZstdFrames(inPieces(file, sizes))) pieces.push(piece);
  return pieces;
}

const anySizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 });

describe("frames of zstd", () => {
  it("come whole, in pieces of one each, and skippable ones do not", async () => {
    const parts = fc.array(
      fc.oneof(
        anyFrame.map((frame) => ({ frame, isKept: true })),
        anySkippable.map((frame) => ({ frame, isKept: false })),
      ),
      { minLength: 1, maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(parts, anySizes, async (all, sizes) => {
        const pieces = await piecesOf(Buffer.concat(all.map(({ frame }) => frame)), sizes);
        const kept = all.filter(({ isKept }) => isKept).map(({ frame }) => frame);
        expect(Buffer.concat(pieces).equals(Buffer.concat(kept))).toBe(true);
        expect(pieces.every(({ length }) => length > 0)).toBe(true);
        const ends = pieces.map((_, at) => pieces.slice(0, at + 1).reduce((sum, { length }) => sum + length, 0));
        for (let at = 0, end = 0; at < kept.length; at++) expect(ends).toContain((end += (kept[at] as Buffer).length));
      }),
    );
  });

  it("that are cut off anywhere are noticed", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyFrame,
        fc.oneof(anyFrame, anySkippable),
        anySizes,
        fc.nat(),
        async (first, last, sizes, cut) => {
          const file = Buffer.concat([first, last.subarray(0, 1 + (cut % (last.length - 1)))]);
          await expect(piecesOf(file, sizes)).rejects.toMatchObject({ code: "ERR_ZSTD_FRAMES" });
        },
      ),
    );
  });

  it("have nothing else behind them", async () => {
    const frame = Buffer.concat([bytes(0xfd2fb528, 4), header(0, 1), block(0, 5, true)]);
    for (const more of ["\0\0\0\0", "garbage", "(\xb5/"]) {
      const file = Buffer.concat([frame, Buffer.from(more, "latin1")]);
      await expect(piecesOf(file, [3])).rejects.toMatchObject({ code: "ERR_ZSTD_FRAMES" });
    }
  });
});

const { zstdCompressSync: compress } = zlib as { readonly zstdCompressSync?: (bytes: Uint8Array) => Buffer };

/** As the differ does it. */
async function decompress(file: Buffer, sizes: readonly number[]): Promise<Buffer> {
  const out = new PassThrough();
  const stages = createDecompressor(detectCompression(file));
  const [read] = await Promise.all([buffer(out), pipeline([Readable.from(inPieces(file, sizes)), ...stages, out])]);
  return read;
}

describe.runIf(compress !== undefined)("a blob of many frames", () => {
  const contents = [1_536, 0, 700_000, 1, 200_000].map((size) => Buffer.alloc(size, "content"));
  const skipped = Buffer.concat([bytes(0x184d2a53, 4), bytes(5, 4), Buffer.from("index")]);
  const file = () => Buffer.concat([skipped, ...contents.map((content) => (compress as Function)(content)), skipped]);

  it.each([[[1 << 20]], [[1]], [[13, 4_096]]])("is read to its end, in pieces of %j", async (sizes) => {
    expect((await decompress(file(), sizes)).equals(Buffer.concat(contents))).toBe(true);
  });

  it("is damaged where it ends early", async () => {
    const whole = file();
    const cut = whole.subarray(0, whole.length - skipped.length - 1);
    await expect(decompress(cut, [4_096])).rejects.toMatchObject({ code: "ERR_ZSTD_FRAMES" });
  });
});
