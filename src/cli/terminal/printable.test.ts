import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printable, printableJson, shellWord } from "./printable.ts";

const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

describe("printable", () => {
  it.each([
    ["plain, grüße, 日本", "plain, grüße, 日本"],
    ["\u001B[2J\u0007", String.raw`\x1b[2J\x07`],
    ["a\r\nb", String.raw`a\x0d\nb`],
    ["\u009B31m", String.raw`\x9b31m`],
    ["user\u202Etxt.exe", String.raw`user\u{202e}txt.exe`],
    ["\uD800", String.raw`\u{d800}`],
  ])("%j", (text, shown) => expect(printable(text)).toBe(shown));

  it("never holds what a terminal obeys, and cuts between characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 20 }), (text, maxCharacters) => {
        const shown = printable(text, maxCharacters);
        expect(shown).not.toMatch(unsafe);
        expect(shown.length).toBeLessThanOrEqual(maxCharacters * 10);
      }),
    );
    expect(printable("😀".repeat(10), 4)).toBe("😀😀😀…");
    expect(printable("x".repeat(1e6), 4)).toBe("xxx…");
  });
});

describe("printable JSON", () => {
  it("is the same JSON, and nothing that a terminal obeys", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom(0, 2), (text, indent) => {
        const shown = printableJson({ [text]: [text] }, indent);
        expect(JSON.parse(shown)).toEqual({ [text]: [text] });
        expect(shown.replaceAll("\n", "")).not.toMatch(unsafe);
      }),
    );
  });
});

it.each([
  ["/run/docker/plugins/a.sock", "/run/docker/plugins/a.sock"],
  ["/my plugins/it's", String.raw`'/my plugins/it'\''s'`],
])("shellWord %j", (text, word) => expect(shellWord(text)).toBe(word));
