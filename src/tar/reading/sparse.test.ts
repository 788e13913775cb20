import { describe, expect, it } from "vitest";

import {
  craftArchive,
  craftBlock,
  craftEntry,
  craftPax,
  failureOf,
  gnuMagic,
  octal,
  padToBlock,
  readArchive,
  sourceOf,
  ustarMagic,
} from "./crafted.test.support.ts";
import { createTarReader } from "./tar-reader.ts";

const pair = (offset: number, bytes: number): string => octal(offset, 12) + octal(bytes, 12);
const after = craftEntry({ name: "after", magic: gnuMagic }, "after");
/** Of all that is stored only the last region may end within a block. */
const first = "ab".repeat(256);
const stored = `${first}cde`;
const holes = Buffer.from(`\0\0${first}${"\0".repeat(186)}cde${"\0".repeat(7)}`, "latin1");

function oldGnu(pairs: string, realSize: number, stored: string): Buffer {
  const raw = { name: "s", typeFlag: "S", magic: gnuMagic, size: octal(stored.length, 12) };
  return Buffer.concat([
    craftBlock({ ...raw, gnuSparse: pairs, gnuRealSize: octal(realSize, 12) }),
    padToBlock(stored),
  ]);
}

const version01: [string, string][] = [
  ["GNU.sparse.major", "0"],
  ["GNU.sparse.minor", "1"],
  ["GNU.sparse.size", "710"],
  ["GNU.sparse.name", "s"],
  ["GNU.sparse.numblocks", "3"],
  ["GNU.sparse.map", "2,512,700,3,710,0"],
];
const version00: [string, string][] = [
  ["GNU.sparse.size", "710"],
  ["GNU.sparse.numblocks", "3"],
  ["GNU.sparse.offset", "2"],
  ["GNU.sparse.numbytes", "512"],
  ["GNU.sparse.offset", "700"],
  ["GNU.sparse.numbytes", "3"],
  ["GNU.sparse.offset", "710"],
  ["GNU.sparse.numbytes", "0"],
];
const version10: [string, string][] = [
  ["GNU.sparse.major", "1"],
  ["GNU.sparse.minor", "0"],
  ["GNU.sparse.name", "s"],
  ["GNU.sparse.realsize", "710"],
];
const placeholder = { name: "GNUSparseFile.1/s", magic: ustarMagic };
const leading = (map: string, stored: string): Buffer =>
  craftEntry(placeholder, Buffer.concat([padToBlock(map), Buffer.from(stored)]));

describe("sparse files", () => {
  it.each([
    ["old GNU", oldGnu(pair(2, 512) + pair(700, 3) + pair(710, 0), 710, stored)],
    ["PAX 0.0", Buffer.concat([craftPax(version00), craftEntry({ name: "s", magic: ustarMagic }, stored)])],
    ["PAX 0.1", Buffer.concat([craftPax(version01), craftEntry(placeholder, stored)])],
    ["PAX 1.0", Buffer.concat([craftPax(version10), leading("3\n2\n512\n700\n3\n710\n0\n", stored)])],
  ])("of %s are read whatever the chunks", (_, entry) => {
    for (const chunkBytes of [1, 3, 511, 512, 513, 65_536]) {
      const [sparse, next] = readArchive(craftArchive(entry, after), { chunkBytes });
      expect(sparse?.header.name.toString()).toBe("s");
      expect(sparse?.header.sparse).toEqual([
        { offset: 2, sizeBytes: 512 },
        { offset: 700, sizeBytes: 3 },
      ]);
      expect(sparse?.content).toEqual(holes);
      expect(next?.content.toString()).toBe("after");
    }
  });

  it("of old GNU go on in extension blocks", () => {
    const raw = {
      name: "s",
      typeFlag: "S",
      magic: gnuMagic,
      size: octal(26 * 512, 12),
      gnuRealSize: octal(51 * 512, 12),
    };
    const pairs = Array.from({ length: 26 }, (_, i) => pair(1024 * i, 512));
    const extension = (from: number, more: string): Buffer =>
      Buffer.from(
        (
          pairs
            .slice(from, from + 21)
            .join("")
            .padEnd(504, "\0") + more
        ).padEnd(512, "\0"),
        "latin1",
      );
    const letters = [..."abcdefghijklmnopqrstuvwxyz"].map((letter) => letter.repeat(512));
    const header = craftBlock({ ...raw, gnuSparse: `${pairs.slice(0, 4).join("")}\x01` });
    const archive = craftArchive(
      header,
      extension(4, "\x01"),
      extension(25, "\0"),
      padToBlock(letters.join("")),
      after,
    );
    const [sparse, next] = readArchive(archive);
    expect(sparse?.content.toString("latin1")).toBe(letters.join("\0".repeat(512)));
    expect(next?.content.toString()).toBe("after");
  });

  it("may be one hole", () => {
    const [sparse] = readArchive(craftArchive(oldGnu(pair(5, 0), 5, ""), after));
    expect(sparse?.header.sparse).toEqual([]);
    expect(sparse?.content).toEqual(Buffer.alloc(5));
  });

  it("come in chunks that end where their region ends", () => {
    const reader = createTarReader(sourceOf(craftArchive(oldGnu(pair(2, 512) + pair(700, 3), 703, stored))));
    reader.next();
    const chunks: [number, string][] = [];
    for (let chunk = reader.read(); chunk; chunk = reader.read()) {
      chunks.push([reader.chunkOffset, Buffer.from(chunk).toString()]);
    }
    expect(chunks).toEqual([
      [2, first],
      [700, "cde"],
    ]);
  });
});

describe("malformed sparse maps", () => {
  const with01 = (key: string, value: string): Buffer =>
    Buffer.concat([
      craftPax(version01.map(([name, old]) => [name, name === key ? value : old])),
      craftEntry(placeholder, "abcde"),
    ]);

  it.each([
    ["overlapping regions", oldGnu(pair(2, 2) + pair(3, 3), 12, "abcde"), "behind one that ends at 4"],
    ["regions out of order", oldGnu(pair(7, 3) + pair(2, 2), 12, "abcde"), "behind one that ends at 10"],
    ["a region past the end", oldGnu(pair(7, 3), 9, "abc"), "end at 10 in a file of 9 bytes"],
    ["no region at the end, where GNU tar ends the file", oldGnu(pair(7, 3), 12, "abc"), "end at 10 in a file of 12"],
    ["a region from within a block", oldGnu(pair(2, 2) + pair(7, 3), 10, "abcde"), "at 7 behind one whose data ends"],
    ["less stored than mapped", oldGnu(pair(2, 5) + pair(12, 0), 12, "abcd"), "regions of 5 bytes but stores 4"],
    ["more stored than mapped", oldGnu(pair(2, 2) + pair(12, 0), 12, "abcde"), "regions of 2 bytes but stores 5"],
    ["no number", oldGnu("x".repeat(24), 12, ""), "sparse region of NaN bytes"],
    ["an overflow", with01("GNU.sparse.map", "9007199254740991,9007199254740991,9,9,9,9"), "sparse region of"],
    ["an odd list", with01("GNU.sparse.map", "2,2,7"), "3 numbers where 3 pairs are announced"],
    ["a false count", with01("GNU.sparse.numblocks", "4"), "6 numbers where 4 pairs are announced"],
    ["no count", with01("GNU.sparse.numblocks", ""), "where NaN pairs are announced"],
    ["a negative size", with01("GNU.sparse.size", "-1"), 'invalid GNU.sparse size "-1"'],
    ["an unknown version", with01("GNU.sparse.major", "2"), 'version "2.1"'],
    ["a line break in the version", with01("GNU.sparse.major", "2\n"), String.raw`version "2\n.1"`],
    ["a name but no map", Buffer.concat([craftPax([["GNU.sparse.name", "n"]]), after]), 'version "."'],
    ["a NUL in the name", with01("GNU.sparse.name", "a\0b"), "with a NUL in it"],
    ["a directory's name", with01("GNU.sparse.name", "a/"), "is a file with the name of a directory"],
    [
      "a directory's name and flag S",
      craftEntry({ name: "s/", typeFlag: "S", magic: gnuMagic }),
      "is a file with the name of a directory",
    ],
    ["two maps", Buffer.concat([craftPax(version01), oldGnu(pair(0, 5), 5, "abcde")]), "has two sparse maps"],
    ["both PAX forms", craftPax([...version00, ["GNU.sparse.map", "0,1"]]), "of versions 0.0 and 0.1"],
    ["0.0 out of turn", craftPax(version00.slice(3)), "where GNU.sparse.offset is due"],
    ["no GNU header", craftEntry({ name: "s", typeFlag: "S", magic: ustarMagic }), "not of GNU format"],
    ["1.0 without newline", Buffer.concat([craftPax(version10), leading("1".repeat(600), "")]), "does not begin with"],
    ["1.0 cut short", Buffer.concat([craftPax(version10), leading("9\n1\n1\n", "")]), "sparse region of NaN bytes"],
    ["1.0 longer than stored", Buffer.concat([craftPax(version10), leading("", "")]), "longer than its content"],
  ])("are refused: %s", (_, entry, message) => {
    const failure = failureOf(() => readArchive(craftArchive(entry)));
    expect(failure).toContain("INVALID_ARGUMENT: tar header at byte");
    expect(failure).toContain(message);
  });

  it("are refused when they announce a billion regions, without waiting for them", () => {
    const map = "1000000000\n" + "1\n0\n".repeat(2000);
    const archive = craftArchive(craftPax(version10), leading(map, ""));
    expect(failureOf(() => readArchive(archive, { limits: { maxSparseRegions: 1000 } }))).toContain(
      "has more than 1000 sparse regions",
    );
  });
});
