import { expect, it } from "vitest";
import { quoteBytes, quoteText, quoteValue, SchemaError, SystemError } from "./index.ts";

it("quotes text on one line, and tells how long it was where it cuts", () => {
  expect(quoteText('a "b"\n\u001b[2J')).toBe(String.raw`"a \"b\"\n\u001b[2J"`);
  expect(quoteText("x".repeat(80))).toBe(`"${"x".repeat(80)}"`);
  expect(quoteText("x".repeat(81))).toBe(`"${"x".repeat(80)}"… (81 characters)`);
  expect(quoteText("xyz", 2)).toBe('"xy"… (3 characters)');
});

it("shows a half of a character as what it is, where it cuts through one", () => {
  expect(quoteText("a😀", 2)).toBe(String.raw`"a\ud83d"… (3 characters)`);
});

it("quotes bytes as what they are in UTF-8", () => {
  expect(quoteBytes(Buffer.from('a\0"ü"\xff', "utf8"))).toBe(String.raw`"a\u0000\"ü\"ÿ"`);
  expect(quoteBytes(Buffer.from([0x61, 0xff]))).toBe('"a\ufffd"');
  expect(quoteBytes(Buffer.alloc(300, "z"))).toBe(`"${"z".repeat(256)}"… (300 bytes)`);
});

it("shows of a value what fits on a line", () => {
  expect(quoteValue({ a: { b: 1 }, c: ["d"] })).toBe("{ a: [Object], c: [Array] }");
  expect(quoteValue("y".repeat(99))).toBe(`'${"y".repeat(60)}'... 39 more characters`);
  expect(quoteValue([1, 2, 3, 4, 5])).toBe("[ 1, 2, 3, ... 2 more items ]");
});

it("keeps what strangers put into a message on its line", () => {
  const issues = [{ path: "a\nb", problem: "not JSON (\u001b[2J\u2028c)" }];
  const { message } = new SchemaError("INTERNAL", "reply", issues);
  expect(message).toBe(String.raw`reply does not fit its schema: a\nb: not JSON (\u001b[2J\u2028c)`);
  expect(new SystemError(2, "openat", "a\nb").message).toContain(String.raw`openat 'a\nb'`);
});
