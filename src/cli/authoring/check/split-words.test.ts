import { expect, it } from "vitest";
import { splitWords } from "./split-words.ts";

it.each([
  ["node mine.js", ["node", "mine.js"]],
  ["  node  'my plugin.js' ", ["node", "my plugin.js"]],
  [String.raw`a "b \" c" d\ e 'f\' "" x"y z"'w'`, ["a", 'b " c', "d e", "f\\", "", "xy zw"]],
  ["a; rm -rf $HOME `x` | y", ["a;", "rm", "-rf", "$HOME", "`x`", "|", "y"]],
])("splits %j", (text, words) => {
  expect(splitWords("restart", text)).toEqual(words);
});

it.each(["", "'a", '"a', "''", "a\\"])("refuses %j", (text) => {
  expect(() => splitWords("restart", text)).toThrow(/^--restart /);
});
