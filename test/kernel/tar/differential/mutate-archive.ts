/** Archives as tools write them, and changed where readers are known to disagree; each is told by its seed. */
import { blockBytes, fields } from "../../../../src/tar/block/block.ts";
import {
  craftEntry,
  craftPax,
  gnuMagic,
  octal,
  padToBlock,
  paxRecord,
  ustarMagic,
} from "../../../../src/tar/reading/crafted.test.support.ts";
import { tarEndBlocks } from "../../../../src/tar/index.ts";
import { createRandom, type Random } from "./random.ts";

/** A header's block with its content, as they stand in the archive. */
type Part = Buffer;

export function mutatedArchive(seed: number): Buffer {
  const random = createRandom(seed);
  const parts = [
    craftEntry({ name: "f", magic: ustarMagic }, "linked to"),
    ...Array.from({ length: 1 + random.int(5) }, () => honestParts(random)).flat(),
  ];
  const changes = random.int(3);
  for (let at = 0; at < changes; at++) changeParts(random, parts);
  const archive = Buffer.concat([...parts, tarEndBlocks]);
  if (random.int(8) === 0) return archive.subarray(0, random.int(archive.length));
  if (random.int(8) === 0)
    return Buffer.concat([archive, Buffer.alloc(512 * random.int(20), random.pick(["\0", "x"]))]);
  return archive;
}

const names = ["a", "b", "d/a", "d/b", "e/a", "./a", "d//c", "./d/e/g", "x".repeat(100), `d/${"n".repeat(98)}`];
const folders = ["d", "d/", "e", "./e/", "d/e/"];
const links = ["f", "f", "f", "./f", "d", "nowhere", "y".repeat(100)];
const magics = [ustarMagic, gnuMagic, "\0"];

function honestParts(random: Random): Part[] {
  const content = "c".repeat(random.pick([0, 0, 1, 5, 511, 512, 513, 2000]));
  const raw = {
    name: random.pick(names),
    magic: random.pick(magics),
    mode: octal(random.pick([0o644, 0o755, 0o4755, 0o600, 0o1777]), 8),
    uid: octal(random.pick([0, 0, 1000]), 8),
    mtime: octal(random.pick([1, 1_600_000_000, 8 ** 11 - 1]), 12),
  };
  switch (random.int(9)) {
    case 0:
      return [craftEntry({ ...raw, name: random.pick(folders), typeFlag: "5" })];
    case 1:
      return [craftEntry({ ...raw, typeFlag: "2", linkName: random.pick(links) })];
    case 2:
      // As "f" is: what a link says anew only engines hear.
      return [craftEntry({ name: raw.name, magic: raw.magic, typeFlag: "1", linkName: random.pick(links) })];
    case 3:
      return [craftPax(paxRecords(random)), craftEntry({ ...raw, magic: ustarMagic }, content)];
    case 4:
      return [longName(random, "L"), craftEntry({ ...raw, magic: gnuMagic }, content)];
    case 5:
      return [longName(random, "K"), craftEntry({ ...raw, magic: gnuMagic, typeFlag: "2", linkName: "short" })];
    case 6:
      return [craftEntry({ ...raw, magic: ustarMagic, ustarPrefix: random.pick(["p", "d", "d/e", ""]) }, content)];
    default:
      return [craftEntry({ ...raw, typeFlag: random.pick(["0", "\0", "7"]) }, content)];
  }
}

function longName(random: Random, typeFlag: string): Part {
  const name = `${"l".repeat(random.pick([1, 99, 100, 101, 200]))}${random.pick(["", "/x", "\0", "\0tail", "/"])}`;
  return craftEntry({ name: "././@LongLink", typeFlag, magic: gnuMagic }, name);
}

function paxRecords(random: Random): [string, string][] {
  const choices: [string, string][] = [
    ["path", random.pick(["p", "d/p", `${"q".repeat(150)}`, "d/", ""])],
    ["linkpath", random.pick(["a", ""])],
    ["size", random.pick(["0", "1", "5", "512", "007", "", "-1", "99999999999999999999"])],
    ["mtime", random.pick(["1.5", "0", "1600000000.123456789", "-1.5", "", "1e3"])],
    ["uid", random.pick(["0", "70000", "4294967294", ""])],
    ["gid", random.pick(["0", "70000"])],
    ["SCHILY.xattr.user.k", "v"],
    ["comment", "x"],
    ["hdrcharset", random.pick(["BINARY", "ISO-IR 10646 2000 UTF-8"])],
  ];
  return Array.from({ length: 1 + random.int(3) }, () => random.pick(choices));
}

function changeParts(random: Random, parts: Part[]): void {
  const at = random.int(parts.length);
  const part = parts[at] as Part;
  switch (random.int(10)) {
    case 0:
      parts.splice(at, 1);
      break;
    case 1:
      parts.splice(random.int(parts.length + 1), 0, part);
      break;
    case 2:
      parts.splice(
        at,
        0,
        craftEntry({ name: "pax_global_header", typeFlag: "g", magic: ustarMagic }, globalRecords(random)),
      );
      break;
    case 3:
      parts.splice(at, 0, padToBlock(Buffer.alloc(random.pick([512, 1024]))));
      break;
    case 4:
      parts[at] = withField(part, "typeFlag", random.pick([..."\u000001234567ASXgxLKDMNV"]));
      break;
    case 5:
      parts[at] = withField(part, "size", random.pick(sizes));
      break;
    case 6:
      parts[at] = withField(part, random.pick(["mode", "uid", "gid", "mtime"]), random.pick(numbers));
      break;
    case 7:
      parts[at] = withField(
        part,
        "magic",
        random.pick([`ustar\u0000${"00"}`, "ustar  \0", "ustar\0\0\0", "ustar 00", ""]),
      );
      break;
    case 8:
      parts[at] = withField(part, random.pick(["name", "linkName", "ustarPrefix"]), random.pick([...names, ""]));
      break;
    default:
      parts[at] = withByte(part, random);
  }
}

const sizes = [
  "",
  "0",
  "1",
  "00000000001 ",
  "00000001000\0",
  "   17\0",
  "-1",
  "77777777777\0",
  "\x80\0\0\0\0\0\0\0\0\0\0\x05",
  "\xff".repeat(12),
  "8",
  "0x5",
  "+5",
];
const numbers = [
  "",
  " ",
  "0",
  "644",
  "0000644 ",
  "  644 \0",
  "7777777",
  "\x80\0\0\0\0\0\x03\xe8",
  "\xff\xff\xff\xff\xff\xff\xff\xff",
  "9",
  "-5",
  "1 2",
];

function globalRecords(random: Random): string {
  return paxRecords(random)
    .map(([key, value]) => paxRecord(key, value))
    .join("");
}

function withField(part: Part, field: keyof typeof fields, value: string): Part {
  const { start, bytes } = fields[field];
  const changed = Buffer.from(part);
  changed.fill(0, start, start + bytes);
  changed.write(value.slice(0, bytes), start, "latin1");
  return checksummed(changed);
}

/** Any byte, of the header or of what follows it. */
function withByte(part: Part, random: Random): Part {
  const changed = Buffer.from(part);
  changed[random.int(changed.length)] = random.int(256);
  return checksummed(changed);
}

function checksummed(part: Part): Part {
  if (part.length < blockBytes) return part;
  const { start, bytes } = fields.checksum;
  part.fill(" ", start, start + bytes);
  const sum = part.subarray(0, blockBytes).reduce((total, byte) => total + byte, 0);
  part.write(`${sum.toString(8).padStart(6, "0")}\0 `, start, "latin1");
  return part;
}
