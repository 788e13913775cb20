import * as fc from "fast-check";
import { expect, it } from "vitest";

import { formatPaxTime, parsePaxTime } from "./pax-time.ts";

it.each([
  ["0", 0, 0],
  ["1350244992.02396", 1_350_244_992, 23_960_000],
  ["1.", 1, 0],
  ["1.0123456789", 1, 12_345_678],
  ["-1", -1, 0],
  ["-1.5", -2, 500_000_000],
  ["-0.5", -1, 500_000_000],
  ["-0", 0, 0],
])("reads %s", (text, seconds, nanoseconds) => {
  expect(parsePaxTime(text)).toEqual({ seconds, nanoseconds });
});

it.each(["", ".5", "+1", "1e3", "0x1", "1.5x", "1.-5", " 1", "9007199254740993"])("does not read %j", (text) => {
  expect(parsePaxTime(text)).toBeUndefined();
});

it("reads what it writes", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.nat(999_999_999), (seconds, nanoseconds) => {
      const time = { seconds, nanoseconds };
      expect(parsePaxTime(formatPaxTime(time))).toEqual(time);
    }),
  );
});
