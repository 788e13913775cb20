import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { blockBytes, tarEndBlocks } from "../block/block.ts";
import {
  craftArchive,
  craftBlock,
  craftEntry,
  craftPax,
  failureOf,
  gnuMagic,
  octal,
  readArchive,
  readSource,
  sourceOf,
  ustarMagic,
} from "./crafted.test.support.ts";
import { createTarReader } from "./tar-reader.ts";

const file = craftEntry({ name: "dir/file", magic: ustarMagic }, "x".repeat(700));
const mixed = [
  craftPax([["comment", "c"]], { typeFlag: "g" }),
  craftPax([
    ["mtime", "1.5"],
    ["SCHILY.xattr.user.a", "v"],
  ]),
  file,
  craftEntry({ name: "././@LongLink", typeFlag: "L", magic: gnuMagic }, `${"n".repeat(600)}\0`),
  craftEntry({ name: "n", magic: gnuMagic }, "y".repeat(512)),
  craftEntry({ name: "l", typeFlag: "2", linkName: "n", magic: ustarMagic }),
];
const zeroBlock = Buffer.alloc(blockBytes);

describe("the end of an archive", () => {
  it.each([
    ["two blocks of zeros", tarEndBlocks],
    ["one block of zeros", zeroBlock],
    ["the input's end", Buffer.alloc(0)],
    ["a record of zeros", Buffer.alloc(20 * blockBytes)],
    ["two blocks of zeros and garbage", Buffer.concat([tarEndBlocks, Buffer.from("garbage")])],
  ])("is %s", (_, end) => {
    expect(readArchive(Buffer.concat([file, end]))).toHaveLength(1);
  });

  it("is two blocks of zeros, or one, where that is asked for", () => {
    const read = (...chunks: Buffer[]) => readSource({ read: () => chunks.shift() }, { needsEndBlocks: true });
    expect(read(file, zeroBlock)).toHaveLength(1);
    expect(failureOf(() => read(file))).toMatch(/^DATA_LOSS: archive ends at byte 1536, /);
  });

  it("may be all there is", () => {
    expect(readArchive(Buffer.from(tarEndBlocks))).toEqual([]);
  });

  it("is read up to the source's own end, and only once", () => {
    const chunks = [file, tarEndBlocks, Buffer.alloc(10_000), Buffer.from("trailing")];
    let readsAfterEnd = 0;
    const reader = createTarReader({ read: () => chunks.shift() ?? void readsAfterEnd++ });
    reader.next();
    expect(reader.next()).toBeUndefined();
    expect(chunks).toHaveLength(0);
    expect([reader.next(), reader.read()]).toEqual([undefined, undefined]);
    expect(readsAfterEnd).toBe(1);
  });

  it("is not awaited forever", () => {
    const endless = { read: () => Buffer.alloc(4096) };
    expect(failureOf(() => readSource(endless, { maxTrailingBytes: 1_000_000 }))).toBe(
      "INVALID_ARGUMENT: archive has more than 1000000 bytes after its end blocks",
    );
  });
});

describe("a damaged archive", () => {
  it("without a byte is refused", () => {
    expect(failureOf(() => readArchive(Buffer.alloc(0)))).toBe(
      "INVALID_ARGUMENT: archive is empty, not even end blocks",
    );
  });

  it("with a lone block of zeros is refused", () => {
    expect(failureOf(() => readArchive(Buffer.concat([file, zeroBlock, file])))).toBe(
      "INVALID_ARGUMENT: tar header at byte 2048 follows a single block of zeros",
    );
  });

  it.each([
    ["text", Buffer.alloc(512, "no tar "), 'has the checksum "o tar no" but'],
    ["a flipped bit", Buffer.from(file).fill("D", 0, 1), "so it is not a tar header"],
  ])("that is %s is refused", (_, archive, message) => {
    expect(failureOf(() => readArchive(archive))).toContain(message);
  });

  it("keeps failing with the same error", () => {
    const reader = createTarReader(sourceOf(file.subarray(0, 600)));
    reader.next();
    expect(failureOf(() => reader.next())).toBe(
      'DATA_LOSS: archive ends at byte 600, 936 bytes before the content of "dir/file" does',
    );
    expect(failureOf(() => reader.read())).toBe(failureOf(() => reader.next()));
  });

  it("is noticed wherever it is cut", () => {
    const archive = Buffer.concat(mixed);
    const boundaries = new Set([3, 5, 6].map((count) => Buffer.concat(mixed.slice(0, count)).length));
    const wrong: [number, string][] = [];
    for (let cut = 1; cut < archive.length; cut++) {
      const outcome = failureOf(() => readArchive(archive.subarray(0, cut)));
      const expected = boundaries.has(cut) ? "no failure" : `DATA_LOSS: archive ends at byte ${cut}, `;
      if (!outcome.startsWith(expected)) wrong.push([cut, outcome]);
    }
    expect(wrong).toEqual([]);
  });
});

describe("content", () => {
  it("is the same whatever the chunks", () => {
    const archive = craftArchive(...mixed);
    const expected = readArchive(archive);
    expect(expected.map((entry) => entry.content.length)).toEqual([700, 512, 0]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1500 }), { minLength: 1, maxLength: 20 }), (sizes) => {
        const chunks: Buffer[] = [];
        for (let at = 0, i = 0; at < archive.length; i++) {
          const size = Math.max(sizes[i % sizes.length] as number, i % sizes.length === 0 ? 1 : 0);
          chunks.push(archive.subarray(at, at + size));
          at += size;
        }
        expect(readSource(sourceOf(...chunks))).toEqual(expected);
      }),
    );
  });

  it("is handed out without a copy, and skipped when nobody reads it", () => {
    const archive = craftArchive(file, file);
    const reader = createTarReader(sourceOf(archive));
    expect(reader.read()).toBeUndefined();
    reader.next();
    const chunk = reader.read();
    expect([chunk?.buffer, chunk?.byteOffset, chunk?.length]).toEqual([archive.buffer, archive.byteOffset + 512, 700]);
    expect(reader.read()).toBeUndefined();
    expect(reader.next()?.name.toString()).toBe("dir/file");
    expect(reader.next()).toBeUndefined();
  });
});

describe("limits", () => {
  const giga = octal(2 ** 32, 12);
  it.each([
    ["PAX header", craftBlock({ typeFlag: "x", size: giga, magic: ustarMagic })],
    ["global PAX header", craftBlock({ typeFlag: "g", size: giga, magic: ustarMagic })],
    ["GNU long name", craftBlock({ typeFlag: "L", size: giga, magic: gnuMagic })],
    ["GNU long link name", craftBlock({ typeFlag: "K", size: giga, magic: gnuMagic })],
  ])("refuse a %s of gigabytes from its header block alone", (label, block) => {
    expect(failureOf(() => readArchive(block))).toBe(
      `INVALID_ARGUMENT: tar header at byte 0 is a ${label} of 4294967296 bytes, more than 1048576`,
    );
  });

  it("hold for entries and extended attributes", () => {
    expect(failureOf(() => readArchive(craftArchive(file, file), { limits: { maxEntries: 1 } }))).toContain(
      "is beyond entry 1",
    );
    const xattrs = craftPax([
      ["SCHILY.xattr.a", "1"],
      ["SCHILY.xattr.b", "2"],
    ]);
    expect(failureOf(() => readArchive(craftArchive(xattrs, file), { limits: { maxXattrs: 1 } }))).toContain(
      "has more than 1 extended attributes",
    );
  });
});
