import { blockBytes, fields } from "./block.ts";

const { start, bytes } = fields.checksum;
const asBlanks = bytes * 0x20;

/** The sum of a header block's bytes, its checksum field taken as blanks. 0 never occurs; a block of zeros gives 256. */
export function sumBlock(block: Uint8Array): number {
  let sum = asBlanks;
  for (let at = 0; at < start; at++) sum += block[at] as number;
  for (let at = start + bytes; at < blockBytes; at++) sum += block[at] as number;
  return sum;
}

/** The same over signed bytes, as Sun's tar and others computed it. */
export function sumBlockSigned(block: Uint8Array): number {
  let sum = asBlanks;
  for (let at = 0; at < blockBytes; at++) {
    if (at < start || at >= start + bytes) sum += ((block[at] as number) << 24) >> 24;
  }
  return sum;
}

/** A block of zeros; only worth asking where the sum is that of one, which spares all others the walk. */
export function isZeroBlock(block: Uint8Array, sum: number): boolean {
  if (sum !== asBlanks) return false;
  for (let at = start; at < start + bytes; at++) if (block[at] !== 0) return false;
  return true;
}
