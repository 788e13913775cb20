import { fields, type Field } from "../block/block.ts";
import { sumBlock } from "../block/checksum.ts";
import type { TarHeader } from "../block/header.ts";
import { writeOctalField } from "../block/number-field.ts";
import { flagOfEntryType, typeFlag } from "../block/type-flag.ts";

const slash = 0x2f;
const space = 0x20;
const magic = Buffer.from("ustar\x0000", "latin1");
/** Ended by a NUL and a blank, other than all other numbers. */
const checksumDigits: Field = { ...fields.checksum, bytes: fields.checksum.bytes - 1 };

/**
 * Writes an entry's own header block to the zeros at `block`. What does not fit is cut; PAX records then tell the rest.
 */
export function encodeEntryBlock(block: Buffer, header: TarHeader, name: Buffer, prefix: Buffer): void {
  writeNumbers(block, header);
  block[fields.typeFlag.start] = flagOfEntryType[header.type];
  writeStringField(block, fields.name, name);
  writeStringField(block, fields.linkName, header.linkName);
  writeStringField(block, fields.userName, header.userName);
  writeStringField(block, fields.groupName, header.groupName);
  writeStringField(block, fields.ustarPrefix, prefix);
  seal(block);
}

function writeNumbers(block: Buffer, header: TarHeader): void {
  writeOctalField(block, fields.mode, header.mode);
  writeOctalField(block, fields.uid, header.uid);
  writeOctalField(block, fields.gid, header.gid);
  writeOctalField(block, fields.size, header.sizeBytes);
  writeOctalField(block, fields.mtime, header.mtimeSeconds);
  writeOctalField(block, fields.deviceMajor, header.deviceMajor);
  writeOctalField(block, fields.deviceMinor, header.deviceMinor);
}

/** Writes the header block of a PAX header; as Go does, without owner's names and device numbers. */
export function encodePaxBlock(block: Buffer, name: Buffer, sizeBytes: number): void {
  block[fields.typeFlag.start] = typeFlag.paxLocal;
  writeStringField(block, fields.name, name);
  for (const field of [fields.mode, fields.uid, fields.gid, fields.mtime]) writeOctalField(block, field, 0);
  writeOctalField(block, fields.size, sizeBytes);
  seal(block);
}

/** The ASCII bytes alone, as many as fit. */
function writeStringField(block: Buffer, { start, bytes }: Field, text: Buffer): void {
  const end = start + bytes;
  let at = start;
  for (let from = 0; from < text.length; from++) {
    const byte = text[from] as number;
    if (byte === 0 || byte >= 0x80) continue;
    if (at === end) {
      dropTrailingSlash(block, end - 1);
      return;
    }
    block[at++] = byte;
  }
}

/**
 * Readers of v7 take a name cut behind a slash for a directory's. The first of several slashes becomes a NUL, as in Go.
 */
function dropTrailingSlash(block: Buffer, last: number): void {
  let first = last + 1;
  while (block[first - 1] === slash) first--;
  if (first <= last) block[first] = 0;
}

function seal(block: Buffer): void {
  block.set(magic, fields.magic.start);
  writeOctalField(block, checksumDigits, sumBlock(block));
  block[fields.checksum.start + fields.checksum.bytes - 1] = space;
}
