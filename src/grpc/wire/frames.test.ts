import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFrameReader, encodeFrame } from "./frames.ts";

const limit = 1_000;
const sentMessages = fc.array(fc.uint8Array({ maxLength: limit }), { maxLength: 8 });

describe("the reader of frames", () => {
  it("gives the same messages wherever their bytes are cut", () => {
    fc.assert(
      fc.property(sentMessages, fc.array(fc.nat()), (sent, cuts) => {
        const wire = Buffer.concat(sent.map((message) => encodeFrame(message, limit)));
        const places = [...new Set(cuts.map((cut) => cut % (wire.length + 1)))].toSorted((a, b) => a - b);
        const reader = createFrameReader(limit, "INVALID_ARGUMENT");
        const got = [...places, wire.length].flatMap((end, at) =>
          [...reader.push(wire.subarray(places[at - 1] ?? 0, end))].map((message) => Buffer.from(message)),
        );
        expect(got).toEqual(sent.map((message) => Buffer.from(message)));
        expect(reader.heldBytes).toBe(0);
      }),
    );
  });

  it("gives them byte by byte, and keeps no more than came", () => {
    const wire = Buffer.concat([encodeFrame(Buffer.from("one"), limit), encodeFrame(Buffer.alloc(0), limit)]);
    const reader = createFrameReader(limit, "INVALID_ARGUMENT");
    const held: number[] = [];
    const got = [...wire].flatMap((byte) => {
      const messages = reader.push(Uint8Array.of(byte));
      held.push(reader.heldBytes);
      return messages.map((message) => Buffer.from(message).toString());
    });
    expect(got).toEqual(["one", ""]);
    expect(held).toEqual([1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 0]);
  });

  it("never fails otherwise than with a code, whatever comes", () => {
    const coded = /RESOURCE_EXHAUSTED|UNIMPLEMENTED|DATA_LOSS/;
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
        const reader = createFrameReader(limit, "DATA_LOSS");
        try {
          for (const chunk of chunks) reader.push(chunk);
        } catch (error) {
          expect((error as { code: string }).code).toMatch(coded);
        }
        expect(reader.heldBytes).toBeLessThanOrEqual(limit + 5);
      }),
    );
  });

  it.each([
    ["over the limit", Buffer.from([0, 0, 0, 3, 233]), "RESOURCE_EXHAUSTED"],
    ["compressed", Buffer.from([1, 0, 0, 0, 1]), "UNIMPLEMENTED"],
    ["with a flag that there is not", Buffer.from([2, 0, 0, 0, 1]), "INVALID_ARGUMENT"],
  ])("refuses a message %s as soon as it is announced, in one piece and in five", (_, header, code) => {
    const failureOf = (chunks: readonly Uint8Array[]) => {
      const reader = createFrameReader(limit, "INVALID_ARGUMENT");
      return () => chunks.forEach((chunk) => reader.push(chunk));
    };
    const coded = expect.objectContaining({ code }) as Error;
    expect(failureOf([header])).toThrow(coded);
    expect(failureOf([...header].map((byte) => Uint8Array.of(byte)))).toThrow(coded);
  });

  it("does not send what the peer would not take", () => {
    expect(() => encodeFrame(Buffer.alloc(limit + 1), limit)).toThrow(
      expect.objectContaining({ code: "RESOURCE_EXHAUSTED" }) as Error,
    );
  });
});
