/** The checksum that tar-split keeps of each file's content: CRC-64/GO-ISO, which is no defence against forgery. */
export interface Crc64 {
  update(bytes: Uint8Array): void;
  /** The sum of all bytes since the start or the last `reset`: 8 bytes, the most significant first. */
  digest(): Buffer;
  reset(): void;
}

/**
 * The polynomial x⁶⁴ + x⁴ + x³ + x + 1, reflected, begun and ended with all bits inverted. Source: Go 1.19
 * `hash/crc64`, `MakeTable(ISO)`.
 *
 * It has so few terms that a table is slower than the sum itself: 32 bits of input times x⁴ + x³ + x + 1 never reach
 * x⁶⁴ again, so that four bytes are reduced by four shifts. The 64 bits are kept in two halves, because JavaScript's
 * integers of 32 bits are fast and its `bigint`s are not.
 */
export function createCrc64(): Crc64 {
  let high = -1;
  let low = -1;

  return {
    update(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const wholeWords = bytes.length & ~3;
      let at = 0;
      for (; at < wholeWords; at += 4) {
        const word = low ^ view.getInt32(at, true);
        low = high ^ (word << 31) ^ (word << 29) ^ (word << 28);
        high = word ^ (word >>> 1) ^ (word >>> 3) ^ (word >>> 4);
      }
      for (; at < bytes.length; at++) {
        const byte = (low ^ (bytes[at] as number)) & 0xff;
        low = (low >>> 8) | (high << 24);
        high = (high >>> 8) ^ (byte << 24) ^ (byte << 23) ^ (byte << 21) ^ (byte << 20);
      }
    },
    digest() {
      const sum = Buffer.allocUnsafe(8);
      sum.writeInt32BE(~high, 0);
      sum.writeInt32BE(~low, 4);
      return sum;
    },
    reset() {
      high = -1;
      low = -1;
    },
  };
}
