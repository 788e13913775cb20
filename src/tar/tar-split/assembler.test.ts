import { gunzipSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { craftArchive, craftEntry, failureOf } from "../reading/crafted.test.support.ts";
import { collectingSink, putTogether, takeApart } from "./apart-and-together.test.support.ts";
import { createTarAssembler } from "./assembler.ts";
import { createGzipSink } from "./gzip-sink.ts";

const archive = craftArchive(craftEntry({ name: "a" }, "content"), craftEntry({ name: "caf\xe9" }, "latin1"));
const { data, contents } = takeApart(archive);
const lines = gunzipSync(data);

function failureWith(changed: [name: string, content: string | undefined]): string {
  const [name, content] = changed;
  const others = new Map(contents);
  if (content === undefined) others.delete(name);
  else others.set(name, Buffer.from(content));
  return failureOf(() => putTogether(lines, others));
}

const segment = (fields: object): string => JSON.stringify({ type: 2, payload: "", position: 0, ...fields });
const failureOfLine = (line: string | Buffer): string =>
  failureOf(() => putTogether(Buffer.from(line as string), new Map()));

describe("files that are no longer what they were", () => {
  it.each([
    ["gone", undefined, 'file "a" cannot be had again: no file "a"'],
    ["changed", "CONTENT", 'file "a" has the CRC-64 '],
    ["longer", "content and more", 'file "a" has more than the 7 bytes that the archive had'],
    ["shorter", "conten", 'file "a" has 6 of the 7 bytes that the archive had'],
  ])("are an error that names the file: %s", (_, content, message) => {
    expect(failureWith(["a", content])).toContain(`DATA_LOSS: ${message}`);
  });

  it("are closed all the same", () => {
    let open = 0;
    const files = {
      open: () => {
        open++;
        return { read: () => Buffer.alloc(100), close: () => void open-- };
      },
    };
    const assembler = createTarAssembler(files, { write() {} });
    expect(failureOf(() => assembler.write(lines))).toContain("has more than");
    expect(open).toBe(0);
  });
});

describe("data that nobody wrote", () => {
  it.each([
    ["no JSON", "{", "is not JSON: "],
    ["no UTF-8", Buffer.from('{"name":"\xff"}', "latin1"), "is not a JSON object: "],
    ["no object", "[1", "is not JSON: "],
    ["null", "null", "is not a JSON object: "],
    ["an unknown type", segment({ type: 3 }), "has the type 3 instead of 1 or 2"],
    ["no type", segment({ type: undefined }), "has the type nothing instead of 1 or 2"],
    ["a negative position", segment({ position: -1 }), "says that its position is -1"],
    ["another position", segment({ position: 1 }), "says that its position is 1"],
    ["a position that is text", segment({ position: "0" }), 'says that its position is "0"'],
    ["base64 with other signs", segment({ payload: "ab!=" }), "has a payload that is not base64"],
    ["base64 of URLs", segment({ payload: "ab-_" }), "has a payload that is not base64"],
    ["base64 that ends within", segment({ payload: "AA==AAAA" }), "has a payload that is not base64"],
    ["base64 that is cut", segment({ payload: "AAA" }), "has a payload that is not base64"],
    ["a payload that is a number", segment({ payload: 1 }), "has a payload that is not base64"],
    ["a name that is a number", segment({ type: 1, name: 1 }), "has a name that is not text: "],
    ["raw bytes of a name that are none", segment({ type: 1, name_raw: "?" }), "has a name_raw that is not base64"],
    ["a negative size", segment({ type: 1, name: "a", size: -1 }), "has a size that is none: "],
    ["a size beyond counting", segment({ type: 1, name: "a", size: 2 ** 53 }), "has a size that is none: "],
    ["no payload", segment({ payload: undefined }), "has no payload"],
    ["a checksum of nothing", segment({ type: 1, name: "a", payload: "AAAAAAAAAAA=" }), "has a checksum of 8 bytes"],
    ["a file without a checksum", segment({ type: 1, name: "a", size: 1 }), "has a checksum of 0 bytes instead of 8"],
  ])("are refused: %s", (_, line, message) => {
    expect(failureOfLine(line)).toContain(`DATA_LOSS: tar-split entry 0 ${message}`);
  });

  it("are refused where a line is missing, comes twice or stops early", () => {
    const [first, second, ...rest] = lines.toString().trimEnd().split("\n") as [string, string, ...string[]];
    const failureOfLines = (all: string[]): string =>
      failureOf(() => putTogether(Buffer.from(all.join("\n")), contents));
    expect(failureOfLines([first, ...rest])).toBe("DATA_LOSS: tar-split entry 1 says that its position is 2");
    expect(failureOfLines([first, first, second])).toBe("DATA_LOSS: tar-split entry 1 says that its position is 0");
    expect(failureOfLines([first, second.slice(0, -1)])).toContain("DATA_LOSS: tar-split entry 1 is not JSON");
  });

  it("are refused before a line that never ends fills the memory", () => {
    const endless = Buffer.alloc(5000, "x");
    const failure = failureOf(() => putTogether(endless, contents, 10, { maxLineBytes: 100 }));
    expect(failure).toBe("DATA_LOSS: tar-split entry 0 is longer than 100 bytes");
  });

  it("never crash what reads them", () => {
    fc.assert(
      fc.property(fc.nat(lines.length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        const failure = failureOf(() => putTogether(flip(lines, at, difference), contents));
        expect(failure).toMatch(/^(?:DATA_LOSS: |no failure$)/);
      }),
      { numRuns: 500 },
    );
  });

  it("never give other bytes than those of the archive, where they were compressed", () => {
    fc.assert(
      fc.property(fc.nat(data.length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        let read: Buffer;
        try {
          read = gunzipSync(flip(data, at, difference));
        } catch {
          return; // noticed
        }
        expect(putTogether(read, contents).equals(archive)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

function flip(bytes: Buffer, at: number, difference: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] as number) ^ difference;
  return changed;
}

describe("Go's data", () => {
  it("have empty segments, names of files without content, and a last line with a break or none", () => {
    const crc = "KG2CyG2MN0A=";
    const text = [
      `{"type":2,"payload":"YWI=","position":0}`,
      `{"type":1,"name":"d/","payload":null,"position":1}`,
      `{"type":1,"name":"\\u003cx\\u003e","size":7,"payload":"${crc}","position":2}`,
      `{"type":2,"payload":"","position":3}`,
    ].join("\n");
    for (const end of ["", "\n"]) {
      const back = putTogether(Buffer.from(text + end), new Map([["<x>", Buffer.from("content")]]), 3);
      expect(back.toString()).toBe("abcontent");
    }
  });
});

describe("compression without an event loop", () => {
  it("is one stream to those who read it", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 900_000 }), { maxLength: 4 }), (sizes) => {
        const sink = collectingSink();
        const gzip = createGzipSink(sink);
        const parts = sizes.map((size, index) => Buffer.alloc(size, `part ${index} `));
        for (const part of parts) gzip.write(part);
        gzip.finish();
        expect(gunzipSync(sink.bytes()).equals(Buffer.concat(parts))).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it("of nothing is a stream of nothing", () => {
    const sink = collectingSink();
    createGzipSink(sink).finish();
    expect(sink.bytes()).toEqual(gzipSync(""));
  });
});
