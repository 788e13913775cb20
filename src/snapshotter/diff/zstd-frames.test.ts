import { randomBytes } from "node:crypto";
import * as zlib from "node:zlib";
import { describe, expect, it } from "vitest";
import { openArchive } from "./apply-diff.ts";
import { compressionOf, createCompressor } from "./media-types.ts";
import { splitAtFrames } from "./zstd-frames.ts";

/** As it is written by hand: blocks of plain bytes, and with a window, a checksum and 4 bytes of size where asked. */
function frame(blocks: readonly string[], { isLarge = false } = {}): Buffer {
  const header = isLarge ? [0b1000_0100, 0x58, 1, 2, 3, 4] : [0b0010_0000, blocks.join("").length];
  const body = blocks.flatMap((text, at) => {
    const head = (text.length << 3) | (at === blocks.length - 1 ? 1 : 0);
    return [head & 0xff, (head >> 8) & 0xff, head >> 16, ...Buffer.from(text)];
  });
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...header, ...body, ...(isLarge ? [9, 9, 9, 9] : [])]);
}
const repeated = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 7, (7 << 3) | 2 | 1, 0, 0, 0x61]);
const skippable = (length: number) => Buffer.from([0x5e, 0x2a, 0x4d, 0x18, length, 0, 0, 0, ...new Uint8Array(length)]);

async function split(parts: readonly Uint8Array[]): Promise<Buffer[]> {
  const source = (async function* () {
    yield* parts;
  })();
  const pieces: Buffer[] = [];
  for await (const piece of splitAtFrames(source)) pieces.push(Buffer.from(piece));
  return pieces;
}

describe("frames of zstd", () => {
  const frames = [skippable(5), frame(["one"]), frame(["", "two", ""], { isLarge: true }), skippable(0), repeated];

  it("each end a piece, however the whole is cut", async () => {
    expect(await split([Buffer.concat(frames)])).toEqual(frames);
    expect(await split(frames)).toEqual(frames);
    const whole = Buffer.concat(frames);
    const ends = frames.map((_, at) => Buffer.concat(frames.slice(0, at + 1)).length);
    for (const length of [1, 2, 3, 7]) {
      const parts = Array.from({ length: Math.ceil(whole.length / length) }, (_, at) =>
        whole.subarray(at * length, (at + 1) * length),
      );
      const pieces = await split(parts);
      expect(Buffer.concat(pieces)).toEqual(whole);
      let at = 0;
      const seen = pieces.map((piece) => (at += piece.length));
      expect(ends.filter((end) => !seen.includes(end))).toEqual([]);
    }
  });

  it("end where they say, and not before", async () => {
    for (const whole of frames) {
      const cut = Array.from({ length: whole.length - 1 }, (_, at) =>
        split([frame(["one"]), whole.subarray(0, at + 1)]),
      );
      for (const outcome of await Promise.allSettled(cut)) {
        expect(outcome).toMatchObject({ status: "rejected", reason: { code: "DATA_LOSS" } });
      }
    }
  });

  it.each([
    ["something else", Buffer.from("more")],
    ["a block of no known type", Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 0x07, 0, 0])],
  ])("are not followed by %s", async (_, rest) => {
    await expect(split([frame(["one"]), rest])).rejects.toMatchObject({ code: "DATA_LOSS" });
  });
});

const isThere = "createZstdCompress" in zlib;

describe.runIf(isThere)("a blob of zstd, where Node has it", () => {
  const compressed = async (text: string): Promise<Buffer> => {
    const compressor = createCompressor(compressionOf("application/vnd.oci.image.layer.v1.tar+zstd"));
    compressor?.end(text);
    return readAll(compressor as AsyncIterable<Uint8Array>);
  };
  const open = async (parts: readonly Uint8Array[]): Promise<string> =>
    (
      await readAll(
        await openArchive(
          (async function* () {
            yield* parts;
          })(),
        ),
      )
    ).toString();

  it("is read to the end of its last frame", async () => {
    const frames = [skippable(4), await compressed("one"), await compressed("two".repeat(100_000)), skippable(9)];
    const text = `one${"two".repeat(100_000)}`;
    expect(await open([Buffer.concat(frames)])).toBe(text);
    expect(await open(frames)).toBe(text);
    expect(await open([Buffer.concat(frames.slice(0, 2)), Buffer.concat(frames.slice(2))])).toBe(text);
  });

  it.each([1, 5, 5000])("that ends %d bytes too early is refused", async (missing) => {
    const whole = Buffer.concat([await compressed("one"), await compressed(randomBytes(20_000).toString("base64"))]);
    await expect(open([whole.subarray(0, -missing)])).rejects.toThrow(/too early|unexpected end/);
  });

  it("with something else behind it is refused", async () => {
    await expect(open([await compressed("one"), Buffer.from("something else")])).rejects.toThrow(/zstd/);
  });
});

it.skipIf(isThere)("zstd is UNIMPLEMENTED on a Node without it, so that the next differ has its turn", () => {
  const type = "application/vnd.docker.image.rootfs.diff.tar.zstd";
  expect(() => compressionOf(type)).toThrow(expect.objectContaining({ code: "UNIMPLEMENTED" }));
});

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}
