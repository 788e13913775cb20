import { gunzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { tarEndBlocks } from "../block/block.ts";
import {
  craftArchive,
  craftBlock,
  craftEntry,
  craftPax,
  failureOf,
  gnuMagic,
  octal,
  padToBlock,
  sourceOf,
  ustarMagic,
} from "../reading/crafted.test.support.ts";
import {
  collectingSink,
  comeBack,
  linesOf,
  putTogether,
  readPlainly,
  takeApart,
} from "./apart-and-together.test.support.ts";
import { createTarSplitPacker } from "./packer.ts";
import { createSplittingTarReader } from "./splitting-reader.ts";

const file = (name: string, content: string): Buffer => craftEntry({ name, magic: ustarMagic }, content);
const gnuName = (name: string, typeFlag = "L"): Buffer =>
  craftEntry({ name: "././@LongLink", typeFlag, magic: gnuMagic }, `${name}\0`);
const long = `${"n".repeat(150)}/${"m".repeat(150)}`;

const paxSparse = (records: [string, string][], stored: Buffer): Buffer =>
  Buffer.concat([craftPax(records), craftEntry({ name: "GNUSparseFile.0/s", magic: ustarMagic }, stored)]);

/** 3,600 bytes, of which 1,024 at 512 and 600 at 3,000 are stored. */
const storedRegions = Buffer.concat([Buffer.alloc(1024, "a"), Buffer.alloc(600, "b")]);
const gnuSparse = Buffer.concat([
  craftEntry(
    {
      name: "s",
      typeFlag: "S",
      magic: gnuMagic,
      gnuSparse: [512, 1024, 3000, 600].map((number) => octal(number, 12)).join(""),
      gnuRealSize: octal(3600, 12),
    },
    storedRegions,
  ),
]);

const quirks: readonly [title: string, archive: Buffer][] = [
  ["files of sizes around a block", craftArchive(...[0, 1, 511, 512, 513].map((n) => file(`f${n}`, "x".repeat(n))))],
  ["no entry", Buffer.from(tarEndBlocks)],
  ["no end blocks", file("a", "content")],
  ["one end block", Buffer.concat([file("a", "content"), Buffer.alloc(512)])],
  ["the zeros of GNU tar's records of 20 blocks", Buffer.concat([craftArchive(file("a", "x")), Buffer.alloc(8192)])],
  ["garbage behind the end blocks", Buffer.concat([craftArchive(file("a", "x")), Buffer.alloc(700, "garbage")])],
  ["padding that is not zeros", craftArchive(craftBlock({ name: "a", size: octal(3, 12) }), Buffer.alloc(512, "abc-"))],
  ["GNU long names", craftArchive(gnuName(long), gnuName(long, "K"), craftEntry({ name: "l", typeFlag: "2" }))],
  ["a GNU long name of a file", craftArchive(gnuName(long), file("short", "content"))],
  [
    "local and global PAX headers by turns",
    craftArchive(
      craftPax([["comment", "one"]], { typeFlag: "g" }),
      craftPax([["comment", "two"]], { typeFlag: "g" }),
      craftPax([["path", "ä/b"]]),
      file("b", "content"),
      craftPax([["mtime", "0"]], { typeFlag: "g" }),
      craftPax([
        ["comment", "none"],
        ["size", "7"],
      ]),
      craftBlock({ name: "sized-by-pax", magic: ustarMagic }),
      padToBlock("content"),
    ),
  ],
  [
    "a base-256 size",
    craftArchive(
      craftBlock({ name: "a", size: Buffer.from("800000000000000000000007", "hex") }),
      padToBlock("content"),
    ),
  ],
  [
    "names that are not UTF-8",
    craftArchive(file("caf\xe9", "latin1"), craftEntry({ name: "\xff/", typeFlag: "5" }), file("caf\xc3\xa9", "utf-8")),
  ],
  ["names with markup and breaks", craftArchive(file('<a href="&">\u007f\\', "1"), file("a\nb\tc\x01\b\f", "2"))],
  [
    "hard links, one with a size in its header",
    craftArchive(file("a", "x"), craftBlock({ name: "h", typeFlag: "1", linkName: "a", size: octal(1, 12) })),
  ],
  [
    "links, devices, folders and pipes",
    craftArchive(
      ...[..."23456"].map((typeFlag) =>
        craftBlock({
          name: `k${typeFlag}`,
          typeFlag,
          linkName: "t",
          magic: ustarMagic,
          deviceMajor: octal(1, 8),
          deviceMinor: octal(3, 8),
        }),
      ),
    ),
  ],
  [
    "a GNU volume label",
    craftArchive(craftEntry({ name: "label", typeFlag: "V", magic: gnuMagic }, "label's content"), file("a", "x")),
  ],
  ["a sparse file of GNU's old format", craftArchive(gnuSparse, file("a", "x"))],
  [
    "a sparse file of PAX version 0.0",
    craftArchive(
      paxSparse(
        [
          ["GNU.sparse.size", "3600"],
          ["GNU.sparse.numblocks", "2"],
          ["GNU.sparse.offset", "512"],
          ["GNU.sparse.numbytes", "1024"],
          ["GNU.sparse.offset", "3000"],
          ["GNU.sparse.numbytes", "600"],
        ],
        storedRegions,
      ),
    ),
  ],
  [
    "a sparse file of PAX version 0.1",
    craftArchive(
      paxSparse(
        [
          ["GNU.sparse.name", "s"],
          ["GNU.sparse.size", "3600"],
          ["GNU.sparse.numblocks", "2"],
          ["GNU.sparse.map", "512,1024,3000,600"],
        ],
        storedRegions,
      ),
    ),
  ],
  [
    "a sparse file of PAX version 1.0",
    craftArchive(
      paxSparse(
        [
          ["GNU.sparse.major", "1"],
          ["GNU.sparse.minor", "0"],
          ["GNU.sparse.name", "s"],
          ["GNU.sparse.realsize", "3600"],
        ],
        Buffer.concat([padToBlock("2\n512\n1024\n3000\n600\n"), storedRegions]),
      ),
    ),
  ],
];

describe("an archive comes back byte for byte", () => {
  it.each(quirks)("with %s", (_, archive) => {
    for (const chunkBytes of [1 << 20, 512, 100, 7]) expect(comeBack(archive, chunkBytes).equals(archive)).toBe(true);
  });

  it("made of any of these, cut anywhere", () => {
    // No two of them name the same entry.
    const parts = [file("one", "1"), file("empty", ""), gnuSparse, file("\xe9", "x".repeat(5000))];
    const pieces = fc.shuffledSubarray([...parts, Buffer.concat([gnuName(long), file("l", "long")])]);
    const tail = fc.oneof(
      fc.constant(Buffer.alloc(0)),
      fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.concat([tarEndBlocks, bytes])),
    );
    fc.assert(
      fc.property(pieces, tail, fc.integer({ min: 1, max: 3000 }), (entries, end, chunkBytes) => {
        fc.pre(entries.length + end.length > 0);
        const archive = Buffer.concat([...entries, end]);
        expect(comeBack(archive, chunkBytes).equals(archive)).toBe(true);
      }),
    );
  });

  it("where contents were left unread", () => {
    const archive = craftArchive(file("a", "x".repeat(3000)), file("b", "y"));
    const sink = collectingSink();
    const reader = createSplittingTarReader(sourceOf(archive), createTarSplitPacker(sink));
    for (let header = reader.next(); header !== undefined; header = reader.next()) reader.read();
    expect(sink.bytes()).toEqual(gunzipSync(takeApart(archive).data));
  });

  it("with contents that were told to be kept in the data", () => {
    const archive = craftArchive(file(".wh.gone", "content of a whiteout"), file("kept", "k"));
    const keepsContent = ({ name }: { name: Buffer }): boolean => !name.toString().startsWith(".wh.");
    const { data, contents } = takeApart(archive, undefined, { keepsContent });
    contents.delete(".wh.gone");
    expect(putTogether(gunzipSync(data), contents).equals(archive)).toBe(true);
  });
});

describe("the data", () => {
  it("are lines as Go writes them", () => {
    const archive = craftArchive(file("a<b", "content"), craftBlock({ name: "\xff/", typeFlag: "5" }));
    const lines = gunzipSync(takeApart(archive).data).toString().trimEnd().split("\n");
    expect(lines).toEqual([
      `{"type":2,"payload":"${archive.toString("base64", 0, 512)}","position":0}`,
      String.raw`{"type":1,"name":"a\u003cb","size":7,"payload":"KG2CyG2MN0A=","position":1}`,
      `{"type":2,"payload":"${archive.toString("base64", 519, 1536)}","position":2}`,
      `{"type":1,"name_raw":"/y8=","payload":null,"position":3}`,
      `{"type":2,"payload":"${archive.toString("base64", 1536)}","position":4}`,
    ]);
  });

  it("keep long stretches of raw bytes in segments of a mebibyte at most", () => {
    const archive = Buffer.concat([craftArchive(file("a", "x")), Buffer.alloc(3 << 20, "t")]);
    const { data, contents } = takeApart(archive);
    const sizes = linesOf(data).map(({ payload }) => Buffer.from(payload as string, "base64").length);
    expect(Math.max(...sizes)).toBe(1 << 20);
    expect(putTogether(gunzipSync(data), contents).equals(archive)).toBe(true);
  });

  it.each([
    ["equal", "a", "a"],
    ["equal once they are clean", "./d/../a", "a"],
    ["a folder's and a file's", "a/", "a"],
  ])("refuse names that come twice: %s", (_, first, second) => {
    const archive = craftArchive(craftEntry({ name: first, typeFlag: "\0" }), file(second, ""));
    expect(failureOf(() => takeApart(archive))).toBe(
      `INVALID_ARGUMENT: entry ${JSON.stringify(second)}: duplicates of file paths not supported`,
    );
  });
});

describe("what a plain reader refuses", () => {
  it.each([
    ["no bytes", Buffer.alloc(0)],
    ["a broken checksum", craftArchive(craftBlock({ name: "a", checksum: "0000000\0" }))],
    ["content that is cut off", file("a", "x".repeat(600)).subarray(0, 700)],
    ["padding that is cut off", file("a", "x").subarray(0, 600)],
    ["a header that is cut off", file("a", "x").subarray(0, 300)],
    ["something behind a single end block", Buffer.concat([Buffer.alloc(512), file("a", "x")])],
    ["a negative size", craftArchive(craftBlock({ name: "a", size: Buffer.alloc(12, 0xff) }))],
    ["a PAX header that announces gigabytes", craftBlock({ typeFlag: "x", size: octal(2 ** 32, 12) })],
  ])("is refused in the same words: %s", (_, archive) => {
    const plainly = failureOf(() => readPlainly(archive));
    expect(plainly).not.toBe("no failure");
    expect(failureOf(() => takeApart(archive))).toBe(plainly);
  });
});
