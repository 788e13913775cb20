import { describe, expect, it } from "vitest";
import { assertName, toLabels, updateLabels } from "./names-and-labels.ts";

const refusal = expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error;

describe("a name", () => {
  it.each(["", "a\0b", "\ud800", "a\udc00", "x".repeat(32_769), "\u{1f9f5}".repeat(8_193)])("%# is refused", (name) => {
    expect(() => assertName(name, "key")).toThrow(refusal);
  });

  it.each(["a", " ", "\u{1f9f5}".repeat(8_192), "../..", "\n"])("%# is one", (name) => {
    assertName(name, "key");
  });
});

describe("labels", () => {
  it("are refused where one is too long, or all are, or one is no Unicode", () => {
    expect(() => toLabels({ k: "x".repeat(4_096) })).toThrow(refusal);
    expect(() => toLabels({ "\ud800": "x" })).toThrow(refusal);
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`k${index}`, "x".repeat(4_000)]));
    expect(() => toLabels(many)).toThrow(refusal);
    expect(() => updateLabels(many, { labels: {}, paths: ["labels.k0"] })).toThrow(refusal);
  });

  it("are no labels where their values are empty", () => {
    expect(toLabels({ a: "", b: "1" })).toEqual({ b: "1" });
    expect(updateLabels({ a: "1" }, { labels: { constructor: "x" }, paths: ["labels.toString", "labels.a"] })).toEqual(
      {},
    );
  });
});
