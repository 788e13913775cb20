/** What targets that read tar archives share. */
import { buildArchive, file, folder, hardLink, opaque, symlink, whiteout } from "#dist/testing/index.js";

const blockBytes = 512;
const checksumAt = 148;

/** Checksums are set right, or no change to a header would come farther than to them. */
export function repair(input) {
  const changed = Buffer.from(input);
  for (let at = 0; at + blockBytes <= changed.length; at += blockBytes) {
    const header = changed.subarray(at, at + blockBytes);
    // What has digits where a checksum is, or ustar's magic, is taken for a header.
    const isHeader =
      /^[ 0-7]{4}/.test(header.toString("latin1", checksumAt)) || header.toString("latin1", 257, 262) === "ustar";
    if (!isHeader) continue;
    header.fill(" ", checksumAt, checksumAt + 8);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, checksumAt, "latin1");
  }
  return changed;
}

export const dictionary = [
  "ustar\x0000",
  "ustar  \0",
  "././@LongLink",
  ".wh.",
  ".wh..wh..opq",
  ".wh..wh.plnk",
  "../",
  "/",
  "./",
  "\0",
  "30 mtime=1350244992.023960108\n",
  "11 path=a/b\n",
  "15 linkpath=a/b\n",
  "10 size=5\n",
  "25 SCHILY.xattr.user.a=b\n",
  "22 GNU.sparse.major=1\n",
  "22 GNU.sparse.minor=0\n",
  "25 GNU.sparse.map=0,1,5,1\n",
  "29 GNU.sparse.realsize=10000\n",
  "24 GNU.sparse.name=s/t\n",
  ..."01234567ASxgLKDMNV",
  "0000755\0",
  "00000001000\0",
  "\x80\0\0\0\0\0\0\0\0\0\0\x05",
];

const pax = (records) => Buffer.concat([headerBlock({ name: "x", size: records.length, flag: "x" }), padded(records)]);

function padded(text) {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & (blockBytes - 1))]);
}

function headerBlock({ name, size = 0, flag = "0", magic = "ustar\u000000", link = "" }) {
  const made = Buffer.alloc(blockBytes);
  made.write(name, 0, "latin1");
  made.write("0000644\u00000000000\u00000000000\0", 100);
  made.write(`${size.toString(8).padStart(11, "0")}\0${"1".padStart(11, "0")}\0`, 124);
  made.write("0000 ", checksumAt);
  made.write(flag, 156);
  made.write(link, 157, "latin1");
  made.write(magic, 257);
  return made;
}

const end = Buffer.alloc(1024);
const gnu = "ustar  \0";

export const seeds = [
  buildArchive([folder("d"), file("d/f", "content"), symlink("l", "d/f"), hardLink("h", "d/f")]),
  buildArchive([folder("d"), file("d/f", "x".repeat(600)), whiteout("d/g"), opaque("d"), file("d/e/f", "y")]),
  Buffer.concat([
    pax("11 path=a/b\n20 mtime=12.5678901\n25 SCHILY.xattr.user.a=b\n"),
    headerBlock({ name: "f", size: 3 }),
    padded("abc"),
    end,
  ]),
  Buffer.concat([
    headerBlock({ name: "g", size: 14, flag: "g" }),
    padded("14 comment=ab\n"),
    headerBlock({ name: "f" }),
    end,
  ]),
  Buffer.concat([
    headerBlock({ name: "././@LongLink", size: 150, flag: "L", magic: gnu }),
    padded("l".repeat(149)),
    headerBlock({ name: "f", magic: gnu, flag: "5" }),
    end,
  ]),
  Buffer.concat([
    headerBlock({ name: "././@LongLink", size: 4, flag: "K", magic: gnu }),
    padded("far\0"),
    headerBlock({ name: "f", magic: gnu, flag: "2", link: "x" }),
    end,
  ]),
  Buffer.concat([
    pax("22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n22 GNU.sparse.name=s\n27 GNU.sparse.realsize=100\n"),
    headerBlock({ name: "GNUSparseFile.0/s", size: 515 }),
    padded("1\n5\n3\n"),
    padded("abc"),
    end,
  ]),
  Buffer.concat([
    pax("26 GNU.sparse.map=0,1,5,1\n25 GNU.sparse.size=10000\n"),
    headerBlock({ name: "s", size: 2 }),
    padded("ab"),
    end,
  ]),
  Buffer.concat([
    headerBlock({ name: "dev", flag: "3" }),
    headerBlock({ name: "p", flag: "6" }),
    headerBlock({ name: "v7", magic: "" }),
    end,
  ]),
].map((bytes) => repair(bytes).toString("latin1"));
