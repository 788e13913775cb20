import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeStatus, encodeStatus } from "./status.ts";
import { formatTimeout, parseTimeout } from "./timeout.ts";

describe("a timeout", () => {
  it.each([
    ["5S", 5_000],
    ["100m", 100],
    ["99999999H", 359_999_996_400_000],
    ["2M", 120_000],
    ["1u", 1],
    ["1500u", 2],
    ["1n", 1],
    ["0m", 0],
    ["", undefined],
    ["5", undefined],
    ["-5S", undefined],
    ["1.5S", undefined],
    ["123456789m", undefined],
    ["5x", undefined],
  ])("of %j is %j ms", (header, ms) => {
    expect(parseTimeout(header)).toBe(ms);
  });

  it("is written so that it is never shorter, and never longer than the header may be", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e13, noNaN: true }), (ms) => {
        const read = parseTimeout(formatTimeout(ms));
        expect(read).toBeGreaterThanOrEqual(ms);
        expect(read).toBeLessThanOrEqual(Math.max(ms + 1, ms * 1.04));
      }),
    );
  });
});

describe("a status", () => {
  it("comes back, whatever its message is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const headers = encodeStatus("ABORTED", text);
        expect(headers["grpc-message"]).toMatch(/^[ -~]*$/);
        expect(decodeStatus(headers)).toEqual({ code: "ABORTED", message: Buffer.from(text).toString() });
      }),
    );
  });

  it.each([
    [{}, undefined],
    [{ "grpc-status": "x" }, undefined],
    [{ "grpc-status": "0" }, { code: undefined, message: "" }],
    [
      { "grpc-status": "99", "grpc-message": "later" },
      { code: "UNKNOWN", message: "later" },
    ],
    [
      { "grpc-status": "5", "grpc-message": "100% %zz %e2%9C%93" },
      { code: "NOT_FOUND", message: "100% %zz \u2713" },
    ],
  ])("of %j is %j", (headers, status) => {
    expect(decodeStatus(headers)).toEqual(status);
  });
});
