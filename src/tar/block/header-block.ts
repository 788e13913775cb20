import { quoteBytes } from "../../errors/index.ts";
import { type Field, fields, noBytes } from "./block.ts";
import { noXattrs, type TarHeader } from "./header.ts";
import { toMalformedError } from "./malformed.ts";
import { parseNumberField } from "./number-field.ts";

/** A header while its parts come together from several blocks. */
export type HeaderDraft = { -readonly [Key in keyof TarHeader]: TarHeader[Key] };

/** Of users and groups. Above it lies only -1, which `chown` takes for "leave as it is". */
export const maxId = 2 ** 32 - 2;

/**
 * An owner's number as the kernel takes it: a negative one, which some tools write for `nobody` (-2), counts down from
 * 2³², as where Go and containerd hand it to `lchown`. NaN below what 32 bits hold, where Go would make another owner
 * of it by cutting bits off, and for -1, with which a file would stay root's.
 */
export function toId(value: number): number {
  if (value >= 0) return value;
  return value >= -(2 ** 31) && value !== -1 ? value + 2 ** 32 : NaN;
}

/** All that eight octal digits can say; file type and permissions need 16 bits. */
const maxMode = 2 ** 24 - 1;
/** Not a limit of Linux, which is stricter: what does not fit 32 bits is not a device number anywhere. */
const maxDevice = 2 ** 32 - 1;

/**
 * The fields of a header block whose checksum was found right. The type is left for later, when the name is final.
 * @throws INVALID_ARGUMENT when a number is none or out of range.
 */
export function decodeHeaderBlock(block: Buffer, at: number): HeaderDraft {
  const dialect = dialectOf(block);
  const isV7 = dialect === "v7";
  if (isV7 && isNearlyUstar(block) && block[fields.ustarPrefix.start] !== 0) {
    throw toMalformedError(at, "has a prefix, and a magic by which only some readers know that");
  }
  return {
    name: nameOf(block, dialect),
    type: "file",
    linkName: stringField(block, fields.linkName),
    mode: numberField(block, fields.mode, at, 0, maxMode),
    uid: idField(block, fields.uid, at),
    gid: idField(block, fields.gid, at),
    sizeBytes: decodeSize(block, at),
    mtimeSeconds: numberField(block, fields.mtime, at, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    mtimeNanoseconds: 0,
    userName: isV7 ? noBytes : stringField(block, fields.userName),
    groupName: isV7 ? noBytes : stringField(block, fields.groupName),
    deviceMajor: isV7 ? 0 : numberField(block, fields.deviceMajor, at, 0, maxDevice),
    deviceMinor: isV7 ? 0 : numberField(block, fields.deviceMinor, at, 0, maxDevice),
    xattrs: noXattrs,
    sparse: undefined,
  };
}

/** The size field alone, which is all that counts of a header that describes another one. */
export function decodeSize(block: Buffer, at: number): number {
  return numberField(block, fields.size, at, 0, Number.MAX_SAFE_INTEGER);
}

export function isGnuHeader(block: Buffer): boolean {
  return dialectOf(block) === "gnu";
}

type Dialect = "v7" | "ustar" | "star" | "gnu";

/** As Go tells them apart: by the magic and, of star's old format, a trailer; POSIX's version is not looked at. */
function dialectOf(block: Buffer): Dialect {
  const magic = fields.magic.start;
  if (block.readUInt32BE(magic) !== 0x75737461 || block[magic + 4] !== 0x72) return "v7"; // "ustar"
  // The trailer is "tar\0".
  if (block[magic + 5] === 0) return block.readUInt32BE(fields.starTrailer.start) === 0x74617200 ? "star" : "ustar";
  return block[magic + 5] === 0x20 && block[magic + 6] === 0x20 && block[magic + 7] === 0 ? "gnu" : "v7";
}

/** libarchive asks no more of ustar's magic than its five letters. */
function isNearlyUstar(block: Buffer): boolean {
  return block.toString("latin1", fields.magic.start, fields.magic.start + 5) === "ustar";
}

function nameOf(block: Buffer, dialect: Dialect): Buffer {
  const name = stringField(block, fields.name);
  switch (dialect) {
    case "v7":
      return name;
    case "gnu":
      return hasPrefixOfOldGo(block) ? joinPrefix(stringField(block, fields.ustarPrefix), name) : name;
    case "ustar":
      return block[fields.ustarPrefix.start] === 0 ? name : joinPrefix(stringField(block, fields.ustarPrefix), name);
    case "star":
      return joinPrefix(stringField(block, fields.starPrefix), name);
  }
}

/**
 * Go before 1.8 wrote a ustar prefix where GNU headers keep atime and ctime (golang.org/issue/12594). Layers of that
 * time are still about and later versions of Go read their names so.
 */
function hasPrefixOfOldGo(block: Buffer): boolean {
  if (!isBadTime(block, fields.gnuAtime) && !isBadTime(block, fields.gnuCtime)) return false;
  for (const byte of stringField(block, fields.ustarPrefix)) if (byte >= 0x80) return false;
  return true;
}

function isBadTime(block: Buffer, field: Field): boolean {
  return block[field.start] !== 0 && Number.isNaN(parseNumberField(block, field));
}

function joinPrefix(prefix: Buffer, name: Buffer): Buffer {
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]);
}

/** The bytes up to a NUL or the field's end, copied. */
function stringField(block: Buffer, { start, bytes }: Field): Buffer {
  let end = start;
  while (end < start + bytes && block[end] !== 0) end++;
  if (end === start) return noBytes;
  const copy = Buffer.allocUnsafe(end - start);
  for (let at = start; at < end; at++) copy[at - start] = block[at] as number;
  return copy;
}

function idField(block: Buffer, field: Field, at: number): number {
  return inRange(toId(parseNumberField(block, field)), block, field, at, 0, maxId);
}

function numberField(block: Buffer, field: Field, at: number, min: number, max: number): number {
  return inRange(parseNumberField(block, field), block, field, at, min, max);
}

function inRange(value: number, block: Buffer, field: Field, at: number, min: number, max: number): number {
  if (value >= min && value <= max) return value;
  const raw = quoteBytes(block.subarray(field.start, field.start + field.bytes));
  throw toMalformedError(at, `has an invalid ${field.label}: ${raw} is not a number from ${min} to ${max}`);
}
