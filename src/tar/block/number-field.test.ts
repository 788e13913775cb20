import { describe, expect, it } from "vitest";

import type { Field } from "./block.ts";
import { fitsOctalField, parseNumberField, writeOctalField } from "./number-field.ts";

const field: Field = { label: "test", start: 2, bytes: 8 };
const parse = (text: string): number => parseNumberField(Buffer.from(`99${text.padEnd(8, "\0")}99`, "latin1"), field);

const written = (value: number): string => {
  const block = Buffer.alloc(12);
  writeOctalField(block, field, value);
  return block.toString("latin1");
};

describe("number fields", () => {
  it.each([
    ["", 0],
    ["        ", 0],
    ["0000644", 0o644],
    ["00000644", 0o644],
    ["77777777", 0o77777777],
    ["   644 ", 0o644],
    ["\0\x00644\0 ", 0o644],
    ["644\0junk", 0o644],
    ["\x80\0\0\0\0\0\x01\x02", 258],
    ["\xff\xff\xff\xff\xff\xff\xff\xfe", -2],
    ["\x80\x1f\xff\xff\xff\xff\xff\xff", Number.MAX_SAFE_INTEGER],
  ])("read %j as %d", (text, value) => {
    expect(parse(text)).toBe(value);
  });

  it.each([
    "8",
    "-1",
    "+1",
    "0x1",
    "64 4",
    "644 \0x",
    "644x",
    "\x80\x20\0\0\0\0\0\0",
    "\xbf\xff\xff\xff\xff\xff\xff\xff",
  ])("do not read %j", (text) => {
    expect(parse(text)).toBeNaN();
  });

  it("are written as octal, or as 0 when it does not fit", () => {
    expect(written(0o644)).toBe("\0\x000000644\0\0\0");
    expect(written(0o7777777)).toBe("\0\x007777777\0\0\0");
    expect(written(0o10000000)).toBe("\0\x000000000\0\0\0");
    expect([0, 0o7777777, 0o10000000, -1].map((value) => fitsOctalField(value, field))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it.each([0, 7, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 32 + 5, 0o77777777777])(
    "of twelve bytes are %d again",
    (value) => {
      const long: Field = { label: "long", start: 0, bytes: 12 };
      const block = Buffer.alloc(12, 0xff);
      writeOctalField(block, long, value);
      expect(block.toString("latin1", 0, 11)).toBe(value.toString(8).padStart(11, "0"));
      expect(parseNumberField(block, { ...long, bytes: 11 })).toBe(value);
    },
  );
});
