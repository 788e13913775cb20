import { describe, expect, it } from "vitest";
import {
  authzProtocol,
  encodeFailure,
  failureIn,
  graphDriverProtocol,
  logDriverProtocol,
  parseFailure,
  protocols,
  volumeDriverProtocol,
} from "../index.ts";

describe.each(protocols)("protocol $name", (protocol) => {
  it.each(Object.entries(protocol.methods))("%s is named like its path", (key, method) => {
    const name = method.path.slice(`/${protocol.name}.`.length);
    expect(method.path.startsWith(`/${protocol.name}.`)).toBe(true);
    expect(name.toLowerCase()).toBe(key.toLowerCase());
    expect(method.source).toMatch(/v\d+\.\d+\.\d+ \S+\.go$/);
  });

  it("says what it and each of its methods are for, in sentences", () => {
    for (const { summary } of [protocol, ...Object.values(protocol.methods)]) expect(summary).toMatch(/^[A-Z`].*\.$/);
  });
});

it.each([
  [
    graphDriverProtocol,
    "ApplyDiff Capabilities Changes Cleanup Create CreateReadWrite Diff DiffSize Exists Get GetMetadata Init Put " +
      "Remove Status",
  ],
  [authzProtocol, "AuthZReq AuthZRes"],
  [logDriverProtocol, "Capabilities ReadLogs StartLogging StopLogging"],
  [volumeDriverProtocol, "Capabilities Create Get List Mount Path Remove Unmount"],
])("knows every method that Docker calls", (protocol, names) => {
  const paths = Object.values(protocol.methods).map(({ path }) => path);
  expect(paths.toSorted()).toEqual(names.split(" ").map((name) => `/${protocol.name}.${name}`));
});

describe("failures", () => {
  it("keep code and message", () => {
    const failure = { code: "NOT_FOUND", message: 'layer "x" does not exist' } as const;
    expect(parseFailure(encodeFailure(failure))).toEqual(failure);
  });

  it.each([
    ['{"Err":"broken"}', "broken"],
    ['{"err":"broken","Code":"toString"}', "broken"],
    ['{"Err":"broken","Code":7}', "broken"],
    ["404 page not found\n", "404 page not found"],
    ["", "(no reason given)"],
  ])("of other plugins are UNKNOWN: %j", (text, message) => {
    expect(parseFailure(Buffer.from(text))).toEqual({ code: "UNKNOWN", message });
  });

  it("are seen on a status of 200", () => {
    expect(failureIn({ Err: "broken" }, "Err")).toEqual({ code: "UNKNOWN", message: "broken" });
    expect(failureIn({ Err: "" }, "Err")).toBeUndefined();
    expect(failureIn({}, "Err")).toBeUndefined();
  });
});
