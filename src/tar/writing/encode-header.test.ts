import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { blockBytes } from "../block/block.ts";
import { failureOf, sourceOf } from "../reading/crafted.test.support.ts";
import { encodeSparseTarHeader, encodeTarHeader } from "./encode-header.ts";
import { createTarHeader, type TarEntryType, type TarHeader } from "../block/header.ts";
import { createTarReader } from "../reading/tar-reader.ts";

const nul = (text: string, bytes: number): string => text.padEnd(bytes, "\0");
const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

/** Both printed by a Go 1.19 program with `Format: tar.FormatPAX`. */
describe("golden headers", () => {
  it("are one ustar block where that can say it all", () => {
    const header = createTarHeader({
      name: Buffer.from("etc/hosts"),
      mode: 0o100644,
      uid: 1000,
      gid: 100,
      sizeBytes: 174,
      mtimeSeconds: 1_700_000_000,
      userName: Buffer.from("root"),
      groupName: Buffer.from("wheel"),
    });
    const numbers = "0100644\x000001750\x000000144\x0000000000256\x0014524770400\x00013070\x00 0";
    const golden =
      nul("etc/hosts", 100) +
      nul(numbers, 157) +
      "ustar\x0000" +
      nul("root", 32) +
      nul("wheel", 32) +
      "0000000\x000000000";
    expect(encodeTarHeader(header).toString("latin1")).toBe(nul(golden, 512));
  });

  it("have a PAX header with sorted records before them otherwise", () => {
    const header = createTarHeader({
      name: latin1("etc/gr\xfc\xdfe"),
      mode: 0o104755,
      uid: 3_000_000,
      sizeBytes: 8_589_934_592,
      mtimeSeconds: -2,
      mtimeNanoseconds: 500_000_000,
      xattrs: new Map([["security.capability", Buffer.of(1, 0, 0, 2)]]),
    });
    const paxNumbers = "0000000\x000000000\x000000000\x0000000000153\x0000000000000\x00011473\x00 x";
    const paxBlock = nul("etc/PaxHeaders.0/gre", 100) + nul(paxNumbers, 157) + "ustar\x0000";
    const records =
      "41 SCHILY.xattr.security.capability=\x01\0\0\x02\n14 mtime=-1.5\n18 path=etc/gr\xfc\xdfe\n19 " +
      "size=8589934592\n15 uid=3000000\n";
    const numbers = "0104755\x000000000\x000000000\x0000000000000\x0000000000000\x00010456\x00 0";
    const block = nul("etc/gre", 100) + nul(numbers, 157) + nul("ustar\x0000", 72) + "0000000\x000000000";
    expect(encodeTarHeader(header).toString("latin1")).toBe(nul(paxBlock, 512) + nul(records, 512) + nul(block, 512));
  });
});

it("writes to the block that it is given what it would to a new one, whatever was in it", () => {
  const block = Buffer.alloc(512, 0xff);
  const header = createTarHeader({ name: latin1("a/b"), type: "directory", uid: 7, mtimeSeconds: 9 });
  const written = encodeTarHeader(header, block);
  expect(written).toBe(block);
  expect(written).toEqual(encodeTarHeader(header));
});

const encode = (name: string): Buffer => encodeTarHeader(createTarHeader({ name: latin1(name), type: "directory" }));
const nameField = (blocks: Buffer): string => blocks.toString("latin1", 0, 100).replace(/\0+$/, "");

describe("long names", () => {
  it("are split between prefix and name where a slash allows it", () => {
    const blocks = encode(`${"p".repeat(90)}/${"n".repeat(50)}`);
    expect(blocks).toHaveLength(blockBytes);
    expect(nameField(blocks)).toBe("n".repeat(50));
    expect(blocks.toString("latin1", 345, 345 + 90)).toBe("p".repeat(90));
  });

  it("go into a PAX record otherwise, and are not cut behind a slash", () => {
    const blocks = encode(`${"n".repeat(98)}//${"m".repeat(150)}/`);
    expect(blocks).toHaveLength(3 * blockBytes);
    // As Go does it: the first slash of the run becomes a NUL, which ends the name.
    expect(blocks.toString("latin1", 1024, 1124)).toBe(`${"n".repeat(98)}\0/`);
  });

  it.each([
    ["a/../caf\xe9", "PaxHeaders.0/caf"],
    ["caf\xe9/..", "caf"],
    ["./x/\xe9/", "x//PaxHeaders.0"],
  ])("have a PAX header that is named as Go does it: %j", (name, paxName) => {
    expect(nameField(encode(name))).toBe(paxName);
  });
});

describe("headers that cannot be written", () => {
  const name = Buffer.from("n");
  it.each<[string, Partial<TarHeader>, string]>([
    ["a NUL", { name: latin1("a\0b") }, "has a name with a NUL in it"],
    ["a NUL in the target", { linkName: latin1("a\0b") }, "has a name with a NUL in it"],
    ["a file's slash", { name: Buffer.from("a/") }, "has a slash at its end but is a file"],
    ["content of a link", { type: "hardlink", sizeBytes: 1 }, "is a hardlink and cannot hold 1 bytes"],
    ["a sparse map", { sparse: [] }, "is sparse"],
    ["a negative size", { sizeBytes: -1 }, "has -1 for a size"],
    ["a fraction", { mtimeSeconds: 1.5 }, "has 1.5 for a mtime"],
    ["too many nanoseconds", { mtimeNanoseconds: 1e9 }, "has 1000000000 for a mtime's nanoseconds"],
    ["a large mode", { mode: 0o10000000 }, "has 2097152 for a mode"],
    ["a uid of -1", { uid: 2 ** 32 - 1 }, "has 4294967295 for a uid"],
    ["an equals sign in an xattr's name", { xattrs: new Map([["a=b", name]]) }, 'an extended attribute named "a=b"'],
    ["xattrs over a mebibyte", { xattrs: new Map([["a", Buffer.alloc(2 ** 20)]]) }, "bytes of PAX records"],
  ])("are refused: %s", (_, given, message) => {
    const failure = failureOf(() => encodeTarHeader(createTarHeader({ name, ...given })));
    expect(failure).toContain("INVALID_ARGUMENT: entry");
    expect(failure).toContain(message);
  });
});

const byteText = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc
    .oneof(
      fc.uint8Array({ maxLength }).map((bytes) => bytes.map((byte) => byte || 1)),
      fc.string({ unit: fc.constantFrom("a", "b", ".", "/"), maxLength, size: "max" }).map((text) => Buffer.from(text)),
    )
    .map((bytes) => Buffer.from(bytes));

const withoutFinalSlash = (name: Buffer): Buffer =>
  name.at(-1) === 0x2f ? Buffer.concat([name, Buffer.from("x")]) : name;

const arbitraryHeader: fc.Arbitrary<TarHeader> = fc
  .record({
    name: byteText(300),
    type: fc.constantFrom<TarEntryType>(
      "file",
      "hardlink",
      "symlink",
      "character-device",
      "block-device",
      "directory",
      "fifo",
    ),
    linkName: byteText(150),
    mode: fc.nat(0o7777777),
    uid: fc.oneof(fc.nat(5000), fc.nat(2 ** 32 - 2)),
    gid: fc.oneof(fc.nat(5000), fc.nat(2 ** 32 - 2)),
    sizeBytes: fc.oneof(fc.nat(2000), fc.maxSafeNat()),
    mtimeSeconds: fc.oneof(fc.nat(2_000_000_000), fc.maxSafeInteger()),
    mtimeNanoseconds: fc.oneof(fc.constant(0), fc.nat(999_999_999)),
    userName: byteText(40),
    groupName: byteText(40),
    deviceMajor: fc.nat(4095),
    deviceMinor: fc.nat(1_048_575),
    xattrs: fc
      .array(fc.tuple(byteText(40), fc.uint8Array({ maxLength: 60 })), { maxLength: 3 })
      .map(
        (pairs) =>
          new Map(pairs.map(([key, value]) => [`x${key.toString("latin1").replaceAll("=", "")}`, Buffer.from(value)])),
      ),
    sparse: fc.constant(undefined),
  })
  .map((header) => {
    const isLink = header.type === "hardlink" || header.type === "symlink";
    const name = isLink || header.type === "directory" ? header.name : withoutFinalSlash(header.name);
    const sizeBytes = header.type === "file" ? header.sizeBytes : 0;
    return { ...header, name, sizeBytes, linkName: isLink ? header.linkName : Buffer.alloc(0) };
  });

describe("reading what was encoded", () => {
  it("gives the same header back", () => {
    fc.assert(
      fc.property(arbitraryHeader, (header) => {
        const blocks = encodeTarHeader(header);
        expect(blocks.length % blockBytes).toBe(0);
        // The content is left out: some sizes are petabytes.
        expect(createTarReader(sourceOf(blocks)).next()).toEqual(header);
      }),
      { numRuns: 300 },
    );
  });

  it("gives the regions of a file with holes back, and where their data belong", () => {
    const sparse = [
      { offset: 1024, sizeBytes: 512 },
      { offset: 8192, sizeBytes: 2 },
    ];
    const name = latin1(`gr\xfc\xdfe/${"n".repeat(200)}`);
    const header = createTarHeader({ name, mode: 0o640, uid: 7, sizeBytes: 10_000, mtimeNanoseconds: 5 });
    const blocks = encodeSparseTarHeader({ ...header, sparse });
    expect(blocks.length % blockBytes).toBe(0);
    const reader = createTarReader(
      sourceOf(blocks, Buffer.from(`${"a".repeat(512)}de`), Buffer.alloc(510), Buffer.alloc(1024)),
    );
    const read = reader.next();
    expect({ ...read, sparse: read?.sparse?.filter(({ sizeBytes }) => sizeBytes > 0) }).toEqual({ ...header, sparse });
    const chunks = [];
    for (let chunk = reader.read(); chunk !== undefined; chunk = reader.read()) {
      chunks.push([reader.chunkOffset, Buffer.from(chunk).toString()]);
    }
    expect(chunks).toEqual([
      [1024, "a".repeat(512)],
      [8192, "de"],
    ]);
    expect(reader.next()).toBeUndefined();
  });
});
