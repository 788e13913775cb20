import { posix } from "node:path";

import { CleatError, quoteBytes } from "../../errors/index.ts";
import { blockBytes, type Field, fields, noBytes, tarPaddingBytes } from "../block/block.ts";
import { encodeEntryBlock, encodePaxBlock } from "./encode-block.ts";
import type { SparseRegion, TarHeader } from "../block/header.ts";
import { checkEncodable } from "./encodable.ts";
import { defaultTarLimits } from "../block/limits.ts";
import { fitsOctalField } from "../block/number-field.ts";
import { formatPaxRecord, xattrKeyPrefix } from "../pax/pax-records.ts";
import { formatPaxTime } from "../pax/pax-time.ts";
import { ustarSplitIndex } from "../block/ustar-path.ts";

/**
 * The blocks that stand before an entry's content: its ustar header and, only where that cannot say it all, a PAX
 * header before it. Byte for byte what Go 1.19's `archive/tar` writes with `Format: FormatPAX`, as Docker does, so that
 * equal layers have equal digests. The content, and `tarPaddingBytes` of zeros, are the caller's to write.
 *
 * Sparse files are written whole, as Go has no way to write them otherwise: `header.sparse` must be `undefined`
 * (`encodeSparseTarHeader` is for others). `block`, of 512 bytes, is what is written to and returned where one block
 * says it all: whoever writes many headers brings the same each time.
 * @throws INVALID_ARGUMENT when the header cannot be written: a name with a NUL, a file's name with a slash at its end,
 * a number out of range, content on what has none, PAX records of more than 1 MiB.
 */
export function encodeTarHeader(header: TarHeader, block = Buffer.allocUnsafe(blockBytes)): Buffer {
  checkEncodable(header);
  const { name } = header;
  const split = name.length > fields.name.bytes && isAscii(name) ? ustarSplitIndex(name) : -1;
  const isUstarName = split !== -1 || isPlain(name, fields.name);
  if (isUstarName && isUstarOtherwise(header)) {
    block.fill(0);
    if (split === -1) encodeEntryBlock(block, header, name, noBytes);
    else encodeEntryBlock(block, header, name.subarray(split + 1), name.subarray(0, split));
    return block;
  }
  return encodeWithPax(header, paxRecordsOf(header));
}

/**
 * The blocks before the data of a file with holes, as GNU tar's format 1.0 has it: its regions are told in a block
 * of text of the content. What is written behind is the data of `header.sparse`, one region after the other, and
 * `tarPaddingBytes` of all of it. Source: GNU tar 1.34 manual, "Storing Sparse Files".
 * @throws INVALID_ARGUMENT as `encodeTarHeader`.
 */
export function encodeSparseTarHeader(header: TarHeader & { readonly sparse: readonly SparseRegion[] }): Buffer {
  const { sparse, ...whole } = header;
  // GNU tar ends a file where its last region does, be that empty.
  const regions = [...sparse, { offset: header.sizeBytes, sizeBytes: 0 }];
  const numbers = [regions.length, ...regions.flatMap(({ offset, sizeBytes }) => [offset, sizeBytes])];
  const text = Buffer.from(`${numbers.join("\n")}\n`);
  const map = Buffer.concat([text, Buffer.alloc(tarPaddingBytes(text.length))]);
  const dataBytes = sparse.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  checkEncodable({ ...whole, sparse: undefined });
  const stored = { ...whole, sizeBytes: map.length + dataBytes, sparse: undefined };
  const own = [
    formatPaxRecord("GNU.sparse.major", Buffer.from("1")),
    formatPaxRecord("GNU.sparse.minor", Buffer.from("0")),
    formatPaxRecord("GNU.sparse.name", header.name),
    formatPaxRecord("GNU.sparse.realsize", Buffer.from(String(header.sizeBytes))),
  ];
  return Buffer.concat([encodeWithPax(stored, [...own, ...paxRecordsOf(stored)]), map]);
}

function encodeWithPax(header: TarHeader, lines: readonly Buffer[]): Buffer {
  const { name } = header;
  const records = Buffer.concat(lines);
  if (records.length > defaultTarLimits.maxPaxBytes) {
    throw new CleatError("INVALID_ARGUMENT", `entry ${quoteBytes(name)} needs ${records.length} bytes of PAX records`);
  }
  const blocks = Buffer.alloc(2 * blockBytes + records.length + tarPaddingBytes(records.length));
  encodePaxBlock(blocks.subarray(0, blockBytes), paxHeaderName(name), records.length);
  records.copy(blocks, blockBytes);
  encodeEntryBlock(blocks.subarray(blocks.length - blockBytes), header, name, noBytes);
  return blocks;
}

function isUstarOtherwise(header: TarHeader): boolean {
  return (
    header.mtimeNanoseconds === 0 &&
    header.xattrs.size === 0 &&
    fitsOctalField(header.sizeBytes, fields.size) &&
    fitsOctalField(header.mtimeSeconds, fields.mtime) &&
    fitsOctalField(header.uid, fields.uid) &&
    fitsOctalField(header.gid, fields.gid) &&
    isPlain(header.linkName, fields.linkName) &&
    isPlain(header.userName, fields.userName) &&
    isPlain(header.groupName, fields.groupName)
  );
}

/** Sorted by key, as bytes; names that are not UTF-8 stand in them as they are. */
function paxRecordsOf(header: TarHeader): Buffer[] {
  const records: [key: string, value: Buffer][] = [];
  const addText = (key: string, value: Buffer, field: Field): void => {
    if (!isPlain(value, field)) records.push([key, value]);
  };
  const addNumber = (key: string, value: number, field: Field): void => {
    if (!fitsOctalField(value, field)) records.push([key, Buffer.from(String(value))]);
  };
  addText("path", header.name, fields.name);
  addText("linkpath", header.linkName, fields.linkName);
  addText("uname", header.userName, fields.userName);
  addText("gname", header.groupName, fields.groupName);
  addNumber("uid", header.uid, fields.uid);
  addNumber("gid", header.gid, fields.gid);
  addNumber("size", header.sizeBytes, fields.size);
  const { mtimeSeconds: seconds, mtimeNanoseconds: nanoseconds } = header;
  if (nanoseconds !== 0 || !fitsOctalField(seconds, fields.mtime)) {
    records.push(["mtime", Buffer.from(formatPaxTime({ seconds, nanoseconds }))]);
  }
  for (const [name, value] of header.xattrs) records.push([xattrKeyPrefix + name, value]);
  return records.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => formatPaxRecord(key, value));
}

/** As Go names it: cleaned, because it joins the parts with `path.Join`, then cut to the name field. */
function paxHeaderName(name: Buffer): Buffer {
  const text = name.toString("latin1");
  const baseStart = text.lastIndexOf("/") + 1;
  const joined = posix.join(text.slice(0, baseStart), "PaxHeaders.0", text.slice(baseStart));
  const ascii = joined.replace(/[\x80-\xff]/g, "").slice(0, fields.name.bytes);
  return Buffer.from(ascii.replace(/\/+$/, ""), "latin1");
}

/** Whether a ustar field can hold the text. The NUL behind it is not needed when it fills the field. */
function isPlain(text: Buffer, { bytes }: Field): boolean {
  return text.length <= bytes && isAscii(text);
}

function isAscii(text: Buffer): boolean {
  for (let at = 0; at < text.length; at++) if ((text[at] as number) >= 0x80) return false;
  return true;
}
