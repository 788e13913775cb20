/** Archives that different readers see differently, each refused in one sentence that says why. */
import { expect, it } from "vitest";

import {
  craftArchive,
  craftBlock,
  craftEntry,
  craftPax,
  failureOf,
  gnuMagic,
  octal,
  readArchive,
  ustarMagic,
} from "./crafted.test.support.ts";

const file = craftEntry({ name: "f", magic: ustarMagic });
const longName = craftEntry({ name: "././@LongLink", typeFlag: "L", magic: gnuMagic }, "long\0");
const longLink = craftEntry({ name: "././@LongLink", typeFlag: "K", magic: gnuMagic }, "long\0");
const pax = craftPax([["comment", "c"]]);
const global = (key: string, value: string): Buffer => craftPax([[key, value]], { typeFlag: "g" });
/** Its size says one byte, and a NUL is farther on. */
const endless = (typeFlag: string): Buffer =>
  Buffer.concat([craftBlock({ typeFlag, magic: gnuMagic, size: octal(1, 12) }), Buffer.alloc(512, "name\0")]);
const rawPax = (records: string): Buffer => craftEntry({ typeFlag: "x", magic: ustarMagic }, records);
const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");

it.each([
  ["two PAX headers", [pax, pax, file], "is the second PAX header of one entry"],
  ["two long names", [longName, longName, file], "is the second GNU long name of one entry"],
  ["two long link names", [longLink, longLink, file], "is the second GNU long link name of one entry"],
  ["a global header in between", [pax, global("uid", "1"), file], "stands between an entry and the headers"],
  ["a volume label in between", [pax, craftEntry({ typeFlag: "V" }), file], "stands between an entry and the headers"],
  ["a PAX header of nothing", [file, pax], "ends the archive behind a header that describes an entry"],
  ["a long name of nothing", [file, longName], "ends the archive behind a header that describes an entry"],
  ["two names", [craftPax([["path", "p"]]), longName, file], 'is named "long" by a GNU header and "p" by a PAX header'],
  ["a global size", [global("size", "512"), file], 'sets "size" for all entries'],
  ["a global path", [global("path", "p"), file], 'sets "path" for all entries'],
  ["a global link", [global("linkpath", "p"), file], 'sets "linkpath" for all entries'],
  ["a global sparse map", [global("GNU.sparse.map", "0,1"), file], 'sets "GNU.sparse.map" for all entries'],
  ["a global xattr", [global("SCHILY.xattr.a", "1"), file], 'sets "SCHILY.xattr.a" for all entries'],
  ["a global owner", [global("uid", "1"), file], "has another uid than the global PAX header before it says"],
  ["a global time", [global("mtime", "0.5"), file], "has another mtime than the global PAX header before it says"],
  ["an empty PAX size", [craftPax([["size", ""]]), file], "has an empty PAX size"],
  ["a long name that ends in its padding", [endless("L"), file], "is a GNU long name that goes on behind its size"],
  ["a long link that ends in its padding", [endless("K"), file], "is a GNU long link name that goes on behind"],
  [
    "a prefix with half a magic",
    [craftEntry({ name: "f", ustarPrefix: "p", magic: "ustar 00" })],
    "has a prefix, and a magic by which only some readers know that",
  ],
  ["an empty PAX owner", [craftPax([["uid", ""]]), file], "has an empty PAX uid"],
  ["an empty long name", [craftEntry({ typeFlag: "L", magic: gnuMagic }, "\0"), file], "is an empty GNU long name"],
  ["a file with a directory's name", [craftEntry({ name: "d/" })], "is a file with the name of a directory"],
  [
    "a directory with content",
    [craftEntry({ name: "d/", typeFlag: "\0" }, "x")],
    "1 bytes of content but a directory's name",
  ],
  ["a NUL in a PAX path", [craftPax([["path", "a\0b"]]), file], 'record "path=a\\u0000b" with a NUL in it'],
  ["a NUL in a PAX key", [craftPax([["a\0b", "v"]]), file], "with a NUL in it"],
  ["an xattr without name", [craftPax([["SCHILY.xattr.", "v"]]), file], "an extended attribute without a name"],
  ["a PAX length with a sign", [rawPax("+9 a=bcd\n"), file], 'malformed PAX record "+9 a=bcd\\n"'],
  ["a PAX length too short", [rawPax("6 a=bcd\n"), file], "malformed PAX record"],
  ["a PAX length too long", [rawPax("99 a=bc\n"), file], "malformed PAX record"],
  ["a PAX length inside its digits", [rawPax("1 a=bcd\n"), file], "malformed PAX record"],
  ["a huge PAX length", [rawPax("99999999999999999999 a=b\n"), file], "malformed PAX record"],
  ["no PAX length", [rawPax(" a=bcd\n"), file], "malformed PAX record"],
  ["a PAX record without key", [rawPax("6 =ab\n"), file], "malformed PAX record"],
  ["a PAX record without equals sign", [rawPax("6 abc\n"), file], "malformed PAX record"],
  ["NULs behind PAX records", [rawPax("8 a=bcd\n\0\0\0"), file], "malformed PAX record"],
  ["a negative PAX size", [craftPax([["size", "-1"]]), file], 'invalid PAX size: "-1" is not a number from 0 to'],
  ["a hexadecimal PAX size", [craftPax([["size", "0x10"]]), file], "invalid PAX size"],
  ["a PAX size over 2^53", [craftPax([["size", "9007199254740993"]]), file], "invalid PAX size"],
  [
    "a PAX uid that is -1 in 32 bits",
    [craftPax([["uid", "4294967295"]]), file],
    "is not a number from 0 to 4294967294",
  ],
  ["a PAX uid of -1", [craftPax([["uid", "-1"]]), file], 'invalid PAX uid: "-1" is not a number'],
  ["a PAX gid below 32 bits", [craftPax([["gid", "-2147483649"]]), file], 'invalid PAX gid: "-2147483649" is not'],
  ["a PAX gid of minus nothing", [craftPax([["gid", "-"]]), file], 'invalid PAX gid: "-" is not a number'],
  ["a PAX gid with two signs", [craftPax([["gid", "--2"]]), file], 'invalid PAX gid: "--2" is not a number'],
  ["a PAX time that is none", [craftPax([["mtime", "soon"]]), file], 'invalid PAX mtime "soon"'],
  ["a negative size", [craftBlock({ size: bytes("ffffffffffffffffffffffff") })], "has an invalid size:"],
  ["a size over 2^53", [craftBlock({ size: bytes("800000000020000000000000") })], "has an invalid size:"],
  ["a size that is not a number", [craftBlock({ size: "12x4" })], "has an invalid size:"],
  ["octal 8", [craftBlock({ size: "00000000008\0" })], "has an invalid size:"],
  ["a uid of -1", [craftBlock({ uid: bytes("ffffffffffffffff") })], "has an invalid uid:"],
  ["a uid below 32 bits", [craftBlock({ uid: bytes("ffffffff7fffffff") })], "has an invalid uid:"],
  ["a mode of 25 bits", [craftBlock({ mode: bytes("8000000001000000") })], "has an invalid mode:"],
  [
    "a device number out of range",
    [craftEntry({ name: "d", typeFlag: "3", magic: ustarMagic, deviceMajor: octal(4096, 8) })],
    'of "d" has the device number 4096:0',
  ],
  ["a multi-volume part", [craftEntry({ name: "m", typeFlag: "M" })], 'of "m" has type flag "M"'],
  ["an incremental folder", [craftEntry({ name: "d", typeFlag: "D" })], 'of "d" has type flag "D"'],
])("refuses %s", (_, parts, message) => {
  const failure = failureOf(() => readArchive(craftArchive(...parts)));
  expect(failure).toContain("INVALID_ARGUMENT: tar header at byte ");
  expect(failure).toContain(message);
});

it("accepts a name that GNU and PAX headers agree on, as Commons Compress writes", () => {
  const [entry] = readArchive(craftArchive(craftPax([["path", "long"]]), longName, file));
  expect(entry?.header.name.toString()).toBe("long");
});

it("does not quote a megabyte of name", () => {
  const name = craftEntry({ typeFlag: "L", magic: gnuMagic }, "n".repeat(1 << 20));
  expect(failureOf(() => readArchive(craftArchive(name, craftEntry({ typeFlag: "Z" })))).length).toBeLessThan(400);
});
