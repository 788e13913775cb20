import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogEntry } from "./driver.ts";
import { decodeEntry, encodeFrame } from "./entry-codec.ts";
import { createFrameReader, defaultMaxFrameBytes } from "./frame-reader.ts";

const entry: fc.Arbitrary<LogEntry> = fc
  .record({
    source: fc.constantFrom("stdout", "stderr"),
    timeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    line: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    partial: fc.option(fc.record({ id: fc.string(), ordinal: fc.nat(2 ** 31 - 1), last: fc.boolean() }), {
      nil: undefined,
    }),
  })
  .map(({ partial, ...whole }) => (partial === undefined ? whole : { ...whole, partial }));

const line = (text: string): LogEntry => ({ source: "stdout", timeNs: 1n, line: Buffer.from(text) });
const texts = (entries: readonly LogEntry[]) => entries.map((one) => Buffer.from(one.line).toString());

describe("the codec", () => {
  it("reads what it writes, in pieces of any size", () => {
    fc.assert(
      fc.property(fc.array(entry), fc.integer({ min: 1, max: 70 }), (entries, size) => {
        const bytes = Buffer.concat(entries.map(encodeFrame));
        const reader = createFrameReader();
        const read: LogEntry[] = [];
        for (let at = 0; at < bytes.byteLength; at += size) read.push(...reader.push(bytes.subarray(at, at + size)));
        expect(read).toEqual(entries);
        expect(reader.skippedBytes).toBe(0);
      }),
    );
  });

  it("reads fields that it does not know, and a piece without metadata", () => {
    const known = encodeFrame(line("x")).subarray(4);
    expect(decodeEntry(Buffer.concat([known, Buffer.from("3a03616263", "hex")]))).toEqual(line("x"));
    expect(decodeEntry(Buffer.concat([known, Buffer.from("2001", "hex")])).partial).toEqual({
      id: "",
      ordinal: 0,
      last: false,
    });
  });

  it("refuses what is cut off", () => {
    const whole = encodeFrame(line("hello")).subarray(4);
    for (let end = 1; end < whole.byteLength; end++) {
      const cut = whole.subarray(0, end);
      try {
        expect(decodeEntry(cut).line.byteLength).toBe(0); // it ends with a field
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }
  });
});

describe("a stream that is damaged", () => {
  const frames = ["one", "two", "three"].map((text) => encodeFrame(line(text)));
  const [first = Buffer.alloc(0), ...others] = frames;

  it("is read from the next entry on, wherever in a frame it begins", () => {
    for (let from = 1; from < first.byteLength; from++) {
      const reader = createFrameReader();
      expect(texts(reader.push(Buffer.concat([first.subarray(from), ...others])))).toEqual(["two", "three"]);
      expect(reader.skippedBytes).toBe(first.byteLength - from);
    }
  });

  it("is read from the next entry on, also byte by byte", () => {
    const reader = createFrameReader();
    const bytes = Buffer.concat([first.subarray(7), ...others]);
    expect(texts([...bytes].flatMap((byte) => reader.push(Buffer.from([byte]))))).toEqual(["two", "three"]);
  });

  it.each([
    ["a length of gigabytes", Buffer.from("ffffffff", "hex")],
    ["zeros", Buffer.alloc(1000)],
    ["text", Buffer.from("GET / HTTP/1.1\r\n\r\n".repeat(50))],
    ["what only looks like a source", Buffer.from("\0\0\0\x20\n\x06stdoutxxx")],
  ])("is read on after %s", (_, noise) => {
    const reader = createFrameReader();
    const bytes = Buffer.concat([first, noise, ...others]);
    const read = texts([...reader.push(bytes), ...reader.push(Buffer.concat(others))]);
    expect(read).toEqual(["one", "two", "three", "two", "three"]);
    expect(reader.skippedBytes).toBe(noise.byteLength);
  });

  it("loses no more than the entry after one that was torn", () => {
    const torn = encodeFrame(line("torn in the middle")).subarray(0, 20);
    expect(texts(createFrameReader().push(Buffer.concat([first, torn, ...others, first])))).toEqual([
      "one",
      expect.stringMatching(/^torn/),
      "three",
      "one",
    ]);
  });

  it("keeps no more than a frame, whatever comes", () => {
    const reader = createFrameReader();
    const garbage = Buffer.alloc(64 * 1024, "\0\0\x0f\xffz", "latin1");
    const hostile = Buffer.from([0, 0x0f, 0xff, 0xff, 0x0a, 6, ...Buffer.from("stdout")]);
    for (let round = 0; round < 200; round++) {
      expect(reader.push(round % 5 === 0 ? hostile : garbage)).toEqual([]);
      expect(reader.unfinished.byteLength).toBeLessThanOrEqual(defaultMaxFrameBytes + 4 + garbage.byteLength);
    }
  });

  it("counts what is unfinished when it ends", () => {
    const reader = createFrameReader();
    expect(texts(reader.push(Buffer.concat([first, first.subarray(0, 9)])))).toEqual(["one"]);
    expect(reader.unfinished.byteLength).toBe(9);
    reader.end();
    expect(reader.skippedBytes).toBe(9);
  });
});
