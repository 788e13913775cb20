import { describe, expect, it } from "vitest";
import { failureIn, parseFailure } from "../index.ts";

describe("a reply of 200", () => {
  it.each([
    [
      { Err: "no", Code: "NOT_FOUND" },
      { code: "NOT_FOUND", message: "no" },
    ],
    [
      { err: "no", Code: 404 },
      { code: "UNKNOWN", message: "no" },
    ],
    [
      { Err: "no", Code: { text: "NOT_FOUND" } },
      { code: "UNKNOWN", message: "no" },
    ],
    [
      { Err: { message: "no" }, Allow: true },
      { code: "UNKNOWN", message: '{"message":"no"}' },
    ],
    [{ Err: false }, { code: "UNKNOWN", message: "false" }],
    [{ Err: "" }, undefined],
    [{ Err: null, Code: null }, undefined],
    [{ Allow: true }, undefined],
  ])("is a failure where it tells of one, in whatever form: %j", (value, failure) => {
    expect(failureIn(value, "Err")).toEqual(failure);
  });
});

it.each([
  ['{"Err":"no","Code":404}', "no"],
  ['{"Err":["no"]}', '["no"]'],
  ['{"error":"no"}', '{"error":"no"}'],
  ["no", "no"],
  ["", "(no reason given)"],
])("any other reply is a failure, and says what there is to say: %s", (text, message) => {
  expect(parseFailure(Buffer.from(text))).toEqual({ code: "UNKNOWN", message });
});
