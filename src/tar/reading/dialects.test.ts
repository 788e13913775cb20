import { describe, expect, it } from "vitest";

import {
  craftArchive,
  craftBlock,
  craftEntry,
  craftPax,
  gnuMagic,
  octal,
  readArchive,
  ustarMagic,
} from "./crafted.test.support.ts";
import { createTarHeader, type TarHeader } from "../block/header.ts";

function readOne(...parts: Buffer[]): TarHeader {
  const entries = readArchive(craftArchive(...parts));
  expect(entries).toHaveLength(1);
  return (entries[0] as { header: TarHeader }).header;
}

const global = (...records: [string, string][]): Buffer => craftPax(records, { typeFlag: "g" });
const text = (bytes: Buffer): string => bytes.toString("latin1");

describe("v7", () => {
  it("has no owner's names, prefix or devices, whatever stands in their place", () => {
    const header = readOne(craftEntry({ name: "a", userName: "junk", ustarPrefix: "junk", deviceMajor: "junk" }, "hi"));
    expect(header).toEqual(createTarHeader({ name: Buffer.from("a"), mode: 0o644, sizeBytes: 2 }));
  });

  it("takes flag NUL for a file, or for a directory when the name ends in a slash", () => {
    expect(readOne(craftEntry({ name: "a", typeFlag: "\0" })).type).toBe("file");
    expect(readOne(craftEntry({ name: "a/", typeFlag: "\0" })).type).toBe("directory");
  });

  it("fills a name field to its last byte", () => {
    expect(text(readOne(craftEntry({ name: "n".repeat(100) })).name)).toBe("n".repeat(100));
  });

  it.each([
    [-2, 4_294_967_294],
    [-3, 4_294_967_293],
    [-65_536, 4_294_901_760],
    [-(2 ** 31), 2 ** 31],
  ])("reads the owner %d as %d, in base-256 and in PAX", (written, read) => {
    const field = Buffer.alloc(8, 0xff);
    field.writeInt32BE(written, 4);
    const inBlock = readOne(craftBlock({ name: "n", uid: field, gid: field, magic: gnuMagic }));
    expect(inBlock).toMatchObject({ uid: read, gid: read });
    const records: [string, string][] = [
      ["uid", String(written)],
      ["gid", String(written)],
    ];
    const [inPax] = readArchive(craftArchive(craftPax(records), craftBlock({ name: "n", magic: ustarMagic })));
    expect(inPax?.header).toMatchObject({ uid: read, gid: read });
  });

  it("accepts a checksum over signed bytes", () => {
    const block = craftBlock({ name: "caf\xe9", checksum: " ".repeat(8) });
    const sum = block.reduce((total, byte) => total + ((byte << 24) >> 24), 0);
    expect(text(readOne(craftBlock({ name: "caf\xe9", checksum: octal(sum, 8) })).name)).toBe("caf\xe9");
  });
});

describe("ustar and star", () => {
  it("joins prefix and name", () => {
    expect(text(readOne(craftEntry({ name: "b", ustarPrefix: "p/a", magic: ustarMagic })).name)).toBe("p/a/b");
    const star = { name: "b", starPrefix: "p", magic: ustarMagic, starTrailer: "tar\0" };
    expect(text(readOne(craftEntry(star)).name)).toBe("p/b");
  });

  it.each([
    ["1", "hardlink", "target"],
    ["2", "symlink", "target"],
    ["3", "character-device", ""],
    ["4", "block-device", ""],
    ["5", "directory", ""],
    ["6", "fifo", ""],
    ["7", "file", ""],
  ])("reads flag %s as %s", (flag, type, linkName) => {
    const raw = { name: "e", typeFlag: flag, magic: ustarMagic, linkName: "target", deviceMajor: octal(8, 8) };
    const header = readOne(craftEntry({ ...raw, deviceMinor: octal(1, 8), userName: "root", groupName: "wheel" }));
    expect(header.type).toBe(type);
    expect(text(header.linkName)).toBe(linkName);
    expect([header.deviceMajor, header.deviceMinor]).toEqual([8, 1]);
    expect([text(header.userName), text(header.groupName)]).toEqual(["root", "wheel"]);
  });

  it("finds no content behind a directory or a link whose size is not zero", () => {
    const odd = craftBlock({ name: "d", typeFlag: "5", size: octal(512, 12), magic: ustarMagic });
    const [first, second] = readArchive(craftArchive(odd, craftEntry({ name: "f", magic: ustarMagic }, "x")));
    expect(first?.header.sizeBytes).toBe(0);
    expect(second?.content.toString()).toBe("x");
  });
});

describe("GNU", () => {
  const long = "d/".repeat(300) + "f";

  it("takes names from L and K, which end at a NUL and have a size of their own", () => {
    const header = readOne(
      craftPax([["size", "3"]]),
      craftEntry({ name: "././@LongLink", typeFlag: "L", magic: gnuMagic }, `${long}\0`),
      craftEntry({ name: "././@LongLink", typeFlag: "K", magic: gnuMagic }, `${long}2\0junk`),
      craftBlock({ name: "short", typeFlag: "2", linkName: "short", magic: gnuMagic }),
    );
    expect([text(header.name), text(header.linkName)]).toEqual([long, `${long}2`]);
  });

  it("reads base-256 numbers, also negative times", () => {
    const size = Buffer.from("80000000000000000000000a", "hex");
    const mtime = Buffer.from("fffffffffffffffffffffffe", "hex");
    const uid = Buffer.from("80000000fffffffe", "hex");
    const [entry] = readArchive(
      craftArchive(craftBlock({ name: "n", size, mtime, uid, magic: gnuMagic }), Buffer.alloc(512)),
    );
    expect(entry?.header).toMatchObject({ sizeBytes: 10, mtimeSeconds: -2, uid: 4_294_967_294 });
  });

  it("skips a volume label", () => {
    const header = readOne(craftEntry({ name: "label", typeFlag: "V", magic: gnuMagic }), craftEntry({ name: "f" }));
    expect(text(header.name)).toBe("f");
  });

  it("takes what Go before 1.8 wrote over atime for the prefix that it is", () => {
    expect(text(readOne(craftEntry({ name: "b", gnuAtime: "prefix", magic: gnuMagic })).name)).toBe("prefix/b");
    expect(text(readOne(craftEntry({ name: "b", gnuAtime: octal(1, 12), magic: gnuMagic })).name)).toBe("b");
  });
});

describe("PAX", () => {
  const file = craftEntry({ name: "u", uid: octal(7, 8), userName: "u7", magic: ustarMagic });

  it("wins over the fields of the header that follows, and only that", () => {
    const records = [
      ["path", "p\xff/q"],
      ["linkpath", "l"],
      ["uid", "4000000000"],
      ["gid", "3"],
      ["uname", "user"],
      ["gname", "group"],
      ["mtime", "-1.25"],
      ["atime", "junk"],
      ["hdrcharset", "BINARY"],
      ["size", "2"],
      ["LIBARCHIVE.xattr.user.b", "aGk"],
      ["SCHILY.xattr.user.b", "\0\xfe\n="],
      ["SCHILY.xattr.user.empty", ""],
    ] as const;
    const [first, second] = readArchive(
      craftArchive(craftPax(records), file, Buffer.from("ok".padEnd(512, "\0")), file),
    );
    expect(first?.header).toEqual(
      createTarHeader({
        name: Buffer.from("p\xff/q", "latin1"),
        mode: 0o644,
        uid: 4_000_000_000,
        gid: 3,
        sizeBytes: 2,
        mtimeSeconds: -2,
        mtimeNanoseconds: 750_000_000,
        userName: Buffer.from("user"),
        groupName: Buffer.from("group"),
        xattrs: new Map([
          ["user.b", Buffer.from("\0\xfe\n=", "latin1")],
          ["user.empty", Buffer.alloc(0)],
        ]),
      }),
    );
    expect(first?.content.toString()).toBe("ok");
    expect(second?.header).toMatchObject({ uid: 7, name: Buffer.from("u") });
    expect(second?.header.xattrs.size).toBe(0);
  });

  it("keeps the last of two records with one key", () => {
    const twice = craftPax([
      ["path", "a"],
      ["path", "b"],
    ]);
    expect(text(readOne(twice, file).name)).toBe("b");
  });

  it("takes a global header that says what the entries say, until it is replaced", () => {
    const named = craftEntry({ name: "f", uid: octal(7, 8), groupName: "g", magic: ustarMagic });
    const archive = craftArchive(
      global(["uid", "7"], ["gname", "g"], ["comment", "of git"], ["path", ""]),
      named,
      craftPax([["uid", "2"]]),
      named,
      global(["uid", "3"]),
      craftPax([["uid", "7"]]),
      named,
    );
    expect(readArchive(archive).map(({ header }) => header.uid)).toEqual([7, 2, 7]);
  });
});
