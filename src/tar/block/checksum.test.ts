import * as fc from "fast-check";
import { expect, it } from "vitest";

import { isZeroBlock, sumBlock, sumBlockSigned } from "./checksum.ts";

/** The definition, byte by byte. */
function sumOf(bytes: Iterable<number>): number {
  return [...bytes].reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

it("adds up the bytes, whatever they are", () => {
  const block = fc.uint8Array({ minLength: 512, maxLength: 512 });
  fc.assert(
    fc.property(block, (bytes) => {
      expect(sumBlock(bytes)).toBe(sumOf(bytes));
      expect(sumBlockSigned(bytes)).toBe(sumOf(new Int8Array(bytes)));
    }),
  );
  expect(sumBlock(new Uint8Array(512).fill(255))).toBe(504 * 255 + 256);
});

it("tells a block of zeros from one that only has a checksum", () => {
  const block = new Uint8Array(512);
  expect(isZeroBlock(block, sumBlock(block))).toBe(true);
  block[150] = 1;
  expect(isZeroBlock(block, sumBlock(block))).toBe(false);
});
