import type { Field } from "./block.ts";

const space = 0x20;
const zero = 0x30;
const seven = 0x37;

/**
 * The number in a header field: octal text, or base-256 when the first bit is set. NaN when it is neither, or lies
 * beyond what a JavaScript integer holds. As lenient as Go (`archive/tar` 1.19 `strconv.go`): an empty field is 0,
 * blanks and NULs may stand on either side, and nothing counts after a NUL that ends the digits.
 */
export function parseNumberField(block: Uint8Array, field: Field): number {
  return (block[field.start] as number) >= 0x80 ? parseBase256(block, field) : parseOctalField(block, field);
}

export function parseOctalField(block: Uint8Array, { start, bytes }: Field): number {
  const end = start + bytes;
  let at = start;
  while (at < end && isBlank(block[at] as number)) at++;
  let value = 0;
  for (; at < end; at++) {
    const byte = block[at] as number;
    if (byte < zero || byte > seven) break;
    value = value * 8 + (byte - zero);
  }
  if (at === end || block[at] === 0) return value;
  while (at < end && isBlank(block[at] as number)) at++;
  return at === end ? value : NaN;
}

/** Two's complement, big-endian; the first bit only marks the encoding, the second is the sign. */
function parseBase256(block: Uint8Array, { start, bytes }: Field): number {
  const first = block[start] as number;
  const inverted = (first & 0x40) === 0 ? 0 : 0xff;
  let value = (first ^ inverted) & 0x7f;
  for (let at = start + 1; at < start + bytes; at++) {
    value = value * 256 + ((block[at] as number) ^ inverted);
  }
  if (inverted !== 0) value = -value - 1;
  return Number.isSafeInteger(value) ? value : NaN;
}

/** The first number too large for a field of so many bytes, one of which is the NUL; no power on the hot path. */
const octalLimits = Array.from({ length: 13 }, (_, bytes) => 8 ** (bytes - 1));

const maxInt32 = 2 ** 31 - 1;

/** Whether a field can hold `value` as octal text with a NUL behind it. */
export function fitsOctalField(value: number, { bytes }: Field): boolean {
  return value >= 0 && value < (octalLimits[bytes] as number);
}

/** Writes octal text, padded with zeros and ended by a NUL; 0 when the value does not fit (PAX then tells it). */
export function writeOctalField(block: Uint8Array, field: Field, value: number): void {
  let large = fitsOctalField(value, field) ? value : 0;
  let at = field.start + field.bytes - 2;
  for (; large > maxInt32; at--) {
    block[at] = zero + (large % 8);
    large = Math.floor(large / 8);
  }
  // A division of floats costs several times the shift.
  for (let rest = large | 0; at >= field.start; at--) {
    block[at] = zero + (rest & 7);
    rest >>= 3;
  }
}

function isBlank(byte: number): boolean {
  return byte === space || byte === 0;
}
