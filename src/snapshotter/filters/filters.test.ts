import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SnapshotInfo } from "../snapshotter.ts";
import { filterInfos } from "./filter-infos.ts";
import { compileRegex } from "./regex.ts";
import { timed } from "../../../test/patience.ts";

const info: SnapshotInfo = {
  name: "default/3/extract-1 sha256:abc",
  kind: "active",
  parent: undefined,
  labels: { "containerd.io/gc.root": "check", plain: "a,b", "a.b": "dots", tab: "a\tb" },
  createdNs: 0n,
  updatedNs: 0n,
};
const matches = (...filters: string[]) => filterInfos(filters)(info);

describe("a filter", () => {
  it.each([
    ["", true],
    ["name", true],
    ["kind==active", true],
    ["kind==view", false],
    ["kind!=view", true],
    [" kind == active", true],
    ["parent", true],
    ['parent==""', true],
    ['parent!=""', false],
    ['labels."containerd.io/gc.root"', true],
    ['labels."containerd.io/gc.root"==check', true],
    ['kind==active,labels."containerd.io/gc.root"==check', true],
    ['kind==view,labels."containerd.io/gc.root"==check', false],
    ["labels.a.b==dots", true],
    ['labels.plain=="a,b"', true],
    ['labels.tab=="a\\tb"', true],
    ['labels.tab=="a\\x09b"', true],
    ["labels.missing", false],
    ["labels.missing!=x", true],
    ['labels.missing==""', false],
    ["labels.constructor", false],
    ['labels."__proto__"', false],
    ["labels", false],
    ["unknown", false],
    ["unknown!=x", true],
    ["name~=^default/[0-9]+/", true],
    ["name~=/^default\\/[0-9]+\\/extract-/", true],
    ["name~=|sha256:[a-f]+$|", true],
    ['name~="EXTRACT"', false],
    ["name~=(?i)EXTRACT", true],
    ["labels.missing~=^$", true],
  ])("%j: %j", (filter, expected) => {
    expect(matches(filter)).toBe(expected);
  });

  it("of several matches where one does", () => {
    expect(matches("kind==view", "kind==active")).toBe(true);
    expect(matches("kind==view", "kind==committed")).toBe(false);
    expect(matches()).toBe(true);
  });

  it.each([
    "kind=active",
    "kind===active",
    "kind==",
    "kind==active,",
    ",kind==active",
    "kind==active ,name",
    "name ",
    "labels.",
    ".name",
    "name==.x",
    'name=="unterminated',
    'name=="bad \\q escape"',
    "name==/other quotes/",
    "name~=(",
    "name~=a**",
    "name~=(?<!a)b",
    "name~=\\1",
    "\0",
    "caf\u00e9==x",
    `name~=${"a".repeat(5_000)}`,
  ])("%j is malformed", (filter) => {
    expect(() => filterInfos([filter])).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error);
  });

  it.each<[what: string, filters: string[]]>([
    ["many that are long", Array.from({ length: 10 }, () => `name==${"x".repeat(30_000)}`)],
    ["many expressions", Array.from({ length: 10 }, () => "name~=/(a?){200}/")],
    ["one with many expressions", [Array.from({ length: 10 }, () => "name~=/(a?){200}/").join(",")]],
  ])("is refused where others would wait for it: %s", (_, filters) => {
    expect(() => matches(...filters)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error);
    expect(matches(filters[0]?.split(",")[0] ?? "")).toEqual(expect.any(Boolean));
  });

  it("matches or is refused with a code, whatever it is", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "name",
        "kind",
        "labels",
        "parent",
        "==",
        "!=",
        "~=",
        ",",
        ".",
        '"',
        "/",
        "|",
        "\\",
        " ",
        "active",
      ),
      fc.string({ unit: "binary", maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          matches(pieces.join(""));
        } catch (error) {
          expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("a regular expression", () => {
  it("takes time in proportion to the text, whatever the pattern", timed, () => {
    const startedMs = performance.now();
    expect(compileRegex("(a*)*(a|aa)+(a?){30}a{30}$")(`${"a".repeat(2_000)}b`)).toBe(false);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  it.each(["((a{1000}){1000}){1000}", "((()*){1000}){1000}", "(((){1000}){1000}){1000}", "(".repeat(300), "a{1001}"])(
    "that would be too large is refused: %s",
    (pattern) => {
      expect(() => compileRegex(pattern)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error);
    },
  );

  it("counts a class for as many as it has parts", () => {
    expect(() => compileRegex("[abcd]{400}")).not.toThrow();
    expect(() => compileRegex("[abcdefgh]{400}")).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error,
    );
  });

  // As Go 1.19 says.
  it.each([
    [String.raw`(?i)^\P{Lu}$`, "\u00e9", false],
    [String.raw`(?i)^\P{Lu}$`, "A", false],
    [String.raw`(?i)^\P{Lu}$`, "1", true],
    [String.raw`(?i)^[\P{Lu}]$`, "b", false],
    [String.raw`(?i)^[^\P{Lu}]$`, "b", true],
    [String.raw`(?i)^\p{^Lu}$`, "b", false],
    [String.raw`(?i)^[[:^lower:]]$`, "B", false],
    [String.raw`(?i)^[[:^lower:]]$`, "1", true],
    [String.raw`(?i)^[^[:lower:]]$`, "B", false],
    [String.raw`(?i)^\W$`, "\u017f", false],
    [String.raw`(?i)^\w$`, "\u017f", true],
    [String.raw`(?i)^[^a]$`, "A", false],
    [String.raw`(?i)^[\Wb]$`, "B", true],
    [String.raw`^\P{Lu}$`, "b", true],
  ])("folds a class before it is negated: %s, %j: %j", (pattern, text, expected) => {
    expect(compileRegex(pattern)(text)).toBe(expected);
  });

  it("agrees with JavaScript's own where both know a pattern", () => {
    const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\d", "\\w", "(?:ab|b)", "(a|)", "^", "$", "\\b", "1");
    const repeat = fc.constantFrom("", "", "", "*", "+", "?", "*?", "{2}", "{1,3}", "{0,}");
    const part = fc
      .tuple(atom, repeat)
      .map(([what, times]) => (/[\^$b]$/.test(what) && what !== "b" ? what : `${what}${times}`));
    const pattern = fc.array(fc.oneof(part, fc.constant("|")), { maxLength: 8 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(
        pattern,
        fc.string({ unit: fc.constantFrom("a", "b", "1", " ", "\n"), maxLength: 10 }),
        (source, text) => {
          expect(compileRegex(source)(text)).toBe(new RegExp(source, "u").test(text));
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
