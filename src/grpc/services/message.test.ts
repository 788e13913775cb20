import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AnySchema, FieldMaskSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bool,
  bytes,
  embedded,
  enumeration,
  int32,
  int64,
  messageMap,
  repeated,
  repeatedStrings,
  string,
  stringMap,
} from "./fields.ts";
import { message } from "./message.ts";
import { any, fieldMask, fromTimestamp, timestamp, toTimestamp } from "./well-known.ts";

const inner = message("test.Inner", { text: string(1), number: int64(2) });
const outer = message("test.Outer", {
  name: string(1),
  inner: embedded(2, inner),
  list: repeated(3, inner),
  words: repeatedStrings(4),
  labels: stringMap(5),
  kind: enumeration(6, ["UNKNOWN", "VIEW", "ACTIVE"]),
  flag: bool(7),
  small: int32(8),
  data: bytes(9),
  things: messageMap(10, inner),
});

const text = fc.string({ unit: "grapheme" });
const innerValue = fc.record({ text, number: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) });
const map = <T>(value: fc.Arbitrary<T>) => fc.dictionary(fc.oneof(text, fc.constant("__proto__")), value);

describe("a message", () => {
  it("comes back as it was, whatever is in it", () => {
    const value = fc.record({
      name: text,
      inner: fc.option(innerValue, { nil: undefined }),
      list: fc.array(innerValue),
      words: fc.array(text),
      labels: map(text),
      kind: fc.constantFrom("UNKNOWN" as const, "VIEW" as const, "ACTIVE" as const),
      flag: fc.boolean(),
      small: fc.integer(),
      data: fc.uint8Array(),
      things: map(innerValue),
    });
    fc.assert(
      fc.property(value, (sent) => {
        const got = outer.decode(outer.encode(sent), "DATA_LOSS");
        const plain = { ...got, labels: Object.entries(got.labels), things: Object.entries(got.things) };
        expect(plain).toEqual({ ...sent, labels: Object.entries(sent.labels), things: Object.entries(sent.things) });
      }),
    );
  });

  it("fails with a code or not at all, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (wire) => {
        try {
          outer.decode(wire, "INVALID_ARGUMENT");
        } catch (error) {
          expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("reads zeros for what is missing, and skips what it does not know", () => {
    expect(outer.decode(new Uint8Array(0), "DATA_LOSS")).toMatchObject({ name: "", inner: undefined, kind: "UNKNOWN" });
    const newer = message("test.Newer", { name: string(1), added: string(99), kind: enumeration(6, kinds) });
    const wire = newer.encode({ name: "n", added: "a", kind: "LATER" });
    expect(outer.decode(wire, "DATA_LOSS")).toMatchObject({ name: "n", kind: "UNKNOWN" });
    const other = message("test.Other", { name: int32(1) });
    expect(outer.decode(other.encode({ name: 5 }), "DATA_LOSS").name).toBe("");
  });
  const kinds = ["A", "B", "C", "LATER"] as const;

  it("is merged with another of its kind, as their bytes one after the other mean", () => {
    const wire = Buffer.concat([outer.encode({ inner: { text: "a" } }), outer.encode({ inner: { number: 2n } })]);
    expect(outer.decode(wire, "DATA_LOSS").inner).toEqual({ text: "a", number: 2n });
  });

  it.each([
    ["text that is not UTF-8", Buffer.from([0x0a, 1, 0xff])],
    ["a field that is longer than the message", Buffer.from([0x12, 9, 0x0a, 1])],
    ["a field that is longer than the message around it", Buffer.from([0x12, 3, 0x0a, 5, 97, 98, 99, 100, 101])],
    ["a number that never ends", Buffer.alloc(12, 0xff)],
    ["half a message", Buffer.from([0x0a])],
  ])("refuses %s", (_, wire) => {
    const refusal = expect.objectContaining({
      code: "DATA_LOSS",
      message: expect.stringMatching(/test.Outer/) as string,
    });
    expect(() => outer.decode(wire, "DATA_LOSS")).toThrow(refusal as Error);
  });
});

describe("the messages that every API shares", () => {
  it("are read and written as the reference does", () => {
    const stamp = { seconds: 1_700_000_000n, nanos: 999_999_999 };
    expect(timestamp.encode(stamp)).toEqual(toBinary(TimestampSchema, create(TimestampSchema, stamp)));
    const mask = { paths: ["labels.a.b", "labels"] };
    expect(fieldMask.encode(mask)).toEqual(toBinary(FieldMaskSchema, create(FieldMaskSchema, mask)));
    const wire = any.encode({ type_url: "t", value: Uint8Array.of(1, 2) });
    expect(fromBinary(AnySchema, wire)).toMatchObject({ typeUrl: "t", value: Uint8Array.of(1, 2) });
  });

  it("tell the time to the nanosecond, before 1970 too", () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 62n), 2n ** 62n), (ns) => {
        const stamp = toTimestamp(ns);
        expect(fromTimestamp(stamp)).toBe(ns);
        expect(stamp.nanos).toBeGreaterThanOrEqual(0);
      }),
    );
    expect(fromTimestamp(undefined)).toBe(0n);
  });
});
