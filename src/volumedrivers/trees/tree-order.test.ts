import { expect, it } from "vitest";
import { formatTreeFailure, parseTreeFailure } from "./tree-order.ts";

const failure = { code: "RESOURCE_EXHAUSTED", message: "the disk\nis full" } as const;

it.each([
  ["alone", "", ""],
  ["behind a warning of Node's", "Warning: Ignoring extra certs from `/none`, load failed", ""],
  ["between two", "Warning: one\n", "(node:1) Warning: {two}\n{ three }\n"],
])("a failure is told %s", (_how, before, after) => {
  expect(parseTreeFailure(`${before}${formatTreeFailure(failure)}${after}`)).toMatchObject(failure);
});

it.each([
  ["", "it was killed"],
  ["FATAL ERROR: heap out of memory\n", "FATAL ERROR: heap out of memory"],
  ['{"code":"MADE_UP","message":"no"}', '{"code":"MADE_UP","message":"no"}'],
])("what is no failure of the program's, %j, is told as it is", (said, message) => {
  expect(parseTreeFailure(said)).toMatchObject({ code: "UNKNOWN", message });
});
