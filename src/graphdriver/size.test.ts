import { expect, it } from "vitest";

import { parseSize } from "./size.ts";

it.each([
  ["1", 1],
  ["4096", 4096],
  ["32b", 32],
  ["32kb", 32 * 2 ** 10],
  ["32Ki", 32 * 2 ** 10],
  ["32 kib", 32 * 2 ** 10],
  ["512m", 512 * 2 ** 20],
  ["10G", 10 * 2 ** 30],
  ["1.5GiB", 1.5 * 2 ** 30],
  ["2TB", 2 * 2 ** 40],
  ["1p", 2 ** 50],
])("%s is %i bytes, as Docker reads it", (text, sizeBytes) => {
  expect(parseSize(text, "size")).toBe(sizeBytes);
});

it.each([
  "",
  "0",
  "0.0001",
  "-1",
  "hello",
  "m",
  "32 mb ",
  " 1",
  "1  k",
  "1.",
  ".3k",
  "32bm",
  "1e9",
  "0x10",
  "10P",
  "32bb",
])("%j is not a size", (text) => {
  expect(() => parseSize(text, 'layer "a"')).toThrow(`layer "a": ${JSON.stringify(text)} is not a size`);
});
