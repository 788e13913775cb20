import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { removeMember, setMember } from "./json-members.ts";

describe("a member that is set", () => {
  it.each([
    ["{}\n", ["a"], 1, '{\n  "a": 1\n}\n'],
    ['{ "b": 2 }', ["a"], 1, '{ "b": 2, "a": 1 }'],
    ['{\n\t"b": [1, {"a": 2}],\n\t"c": "}"\n}\n', ["a"], "x", '{\n\t"b": [1, {"a": 2}],\n\t"c": "}",\n\t"a": "x"\n}\n'],
    ['{\n  "a": "old",\n  "b": 1e3\n}', ["a"], "new", '{\n  "a": "new",\n  "b": 1e3\n}'],
    ['{\n  "f": {\n    "x": false\n  }\n}', ["f", "y"], true, '{\n  "f": {\n    "x": false,\n    "y": true\n  }\n}'],
    ['{\n  "b": 1\n}', ["f", "y"], true, '{\n  "b": 1,\n  "f": {\n    "y": true\n  }\n}'],
    [String.raw`{"\u0061": 1,"b":"\"a\":2"}`, ["a"], 3, String.raw`{"\u0061": 3,"b":"\"a\":2"}`],
    ['{"f": {}}', ["f", "y"], true, '{"f": { "y": true }}'],
  ])("in %j at %j", (text, path, value, expected) => {
    expect(setMember(text, path, value)).toBe(expected);
  });
});

describe("a member that is taken out", () => {
  it.each([
    ['{ "b": 2, "a": 1 }', ["a"], '{ "b": 2 }'],
    ['{\n  "a": 1,\n  "b": 2\n}', ["a"], '{\n  "b": 2\n}'],
    ['{\n  "a": 1\n}\n', ["a"], "{}\n"],
    ['{"f":{"x":true,"y":1},"g":0}', ["f", "x"], '{"f":{"y":1},"g":0}'],
    ['{"f":{"x":true},"g":0}', ["f", "x"], '{"g":0}'],
    ['{"g":0}', ["f", "x"], '{"g":0}'],
  ])("of %j at %j", (text, path, expected) => {
    expect(removeMember(text, path)).toBe(expected);
  });
});

const key = fc.constantFrom("a", "b", 'c"\\', "é", "}");
const object = fc.dictionary(key, fc.jsonValue({ depthSize: "small" }), { maxKeys: 5 });

it("in any text are what they would be in the object", () => {
  fc.assert(
    fc.property(object, key, fc.constantFrom("", "  ", "\t"), (made, name, indent) => {
      const text = JSON.stringify(made, undefined, indent);
      const value = JSON.parse(text) as typeof made;
      const set = setMember(text, [name, "new"], 1);
      const inner = value[name];
      const isObject = typeof inner === "object" && inner !== null && !Array.isArray(inner);
      expect(JSON.parse(set)).toEqual({ ...value, [name]: { ...(isObject && inner), new: 1 } });
      const { [name]: _gone, ...rest } = value;
      expect(JSON.parse(removeMember(text, [name]))).toEqual(rest);
      expect(Object.keys(JSON.parse(set) as object).filter((one) => one !== name)).toEqual(Object.keys(rest));
    }),
  );
});
