import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createCrc64 } from "./crc64.ts";

function sumOf(...pieces: readonly Uint8Array[]): string {
  const crc = createCrc64();
  for (const piece of pieces) crc.update(piece);
  return crc.digest().toString("hex");
}

/** The sum by its definition, a bit at a time. */
function sumByBits(bytes: Uint8Array): string {
  let sum = 0xffff_ffff_ffff_ffffn;
  for (const byte of bytes) {
    sum ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1n) === 1n ? (sum >> 1n) ^ 0xd800_0000_0000_0000n : sum >> 1n;
  }
  return (sum ^ 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, "0");
}

describe("a CRC-64", () => {
  /** Source: Go 1.19, `crc64.Checksum(…, crc64.MakeTable(crc64.ISO))`. */
  it.each([
    ["", "0000000000000000"],
    ["a", "3420000000000000"],
    ["123456789", "b90956c775a41001"],
    ["abcdefghij", "7f5b6e21b002d367"],
  ])("of %j is that of Go", (text, sum) => {
    expect(sumOf(Buffer.from(text))).toBe(sum);
  });

  it("is that of its definition, however the bytes are cut and wherever they lie", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), fc.nat(7), (bytes, cut, shift) => {
        const moved = new Uint8Array(bytes.length + shift);
        moved.set(bytes, shift);
        const [front, back] = [moved.subarray(shift, shift + cut), moved.subarray(shift + cut)];
        expect(sumOf(front, back)).toBe(sumByBits(bytes));
      }),
    );
  });

  it("begins anew", () => {
    const crc = createCrc64();
    crc.update(Buffer.from("x"));
    crc.reset();
    expect(crc.digest()).toEqual(Buffer.alloc(8));
  });
});
