import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeFile, formatBlock, takeOutBlock } from "./block.ts";

const body = '[proxy_plugins.cleat]\ntype = "snapshot"\n';
const add = (text: string | undefined) => (text ?? "") + formatBlock(body, describeFile(text));
const takeOut = (text: string | undefined) => takeOutBlock(text, "config.toml");

describe("a block in a file", () => {
  it.each([
    ["none", undefined],
    ["an empty one", ""],
    ["whole lines", "version = 2\r\n\r\n"],
    ["no break at its end", "version = 2\n# end"],
  ])("is taken out of %s to the byte", (_what, text) => {
    const { text: rest, block } = takeOut(add(text));
    expect(rest).toBe(text);
    expect(add(text).endsWith(block ?? "none")).toBe(true);
  });

  it("is taken out of any text to the byte, and put there again", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "#", "\n", "\r", " ", "é") }), (text) => {
        expect(takeOut(add(text)).text).toBe(text);
        expect(add(takeOut(add(text)).text)).toBe(add(text));
      }),
    );
  });

  it("leaves what was written around it", () => {
    const text = add("version = 2\n");
    expect(takeOut(`# first\n${text}\n[debug]\nlevel = "info"\n`).text).toBe(
      '# first\nversion = 2\n\n[debug]\nlevel = "info"\n',
    );
    expect(takeOut(`${add(undefined)}[debug]\n`).text).toBe("[debug]\n");
  });

  it("is not there where there are no marks", () => {
    expect(takeOut("version = 2\n")).toEqual({ text: "version = 2\n", block: undefined });
  });

  it.each([
    ["changed", add("").replace("snapshot", "diff"), "changed since it was written"],
    ["cut off", add("").replace(/# <<<.*\n/, ""), "not one whole block"],
    ["there twice", add("") + add(""), "not one whole block"],
    ["followed by settings of its last table", `${add("")}# more\naddress = "/x"\n`, "settings below Cleat's block"],
  ])("that is %s stays", (_what, text, why) => {
    expect(() => takeOut(text)).toThrow(why);
  });
});
