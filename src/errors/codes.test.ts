import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";

import {
  CleatError,
  errorCodes,
  isSystemError,
  RemoteError,
  SchemaError,
  SystemError,
  toCleatError,
  TransportError,
  UnsupportedError,
  withSubject,
} from "./index.ts";

describe("the table of codes", () => {
  it("holds the sixteen of gRPC, each number once", () => {
    const numbers = Object.values(errorCodes).map(({ grpcStatus }) => grpcStatus);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
  });

  it.each(Object.entries(errorCodes))("says of %s what it means and which failure it is over HTTP", (_, facts) => {
    expect(facts.meaning).toMatch(/^[a-z]/);
    expect(facts.httpStatus).toBeGreaterThanOrEqual(400);
    expect(facts.httpStatus).toBeLessThan(600);
  });
});

describe("a system error", () => {
  it("is shaped like Node's own", () => {
    const ours = new SystemError(2, "open", "/no/such");
    const nodes = failureOf(() => readFileSync("/no/such")) as NodeJS.ErrnoException;
    const { errno, code, syscall, path } = nodes;
    expect(ours).toMatchObject({ errno, code, syscall, path, message: nodes.message });
  });

  it.each([
    [34, "ERANGE"],
    [35, "EDEADLK"],
    [61, "ENODATA"],
    [95, "ENOTSUP"],
    [116, "ESTALE"],
    [122, "EDQUOT"],
    [4000, "E4000"],
  ])("of errno %i is called %s", (errno, code) => {
    expect(new SystemError(errno, "open")).toMatchObject({ code, errno: -errno, path: undefined });
  });

  it("shows a path of bytes as text", () => {
    expect(new SystemError(17, "mkdirat", Buffer.from("caf\u00e9")).message).toBe(
      "EEXIST: file already exists, mkdirat 'caf\u00e9'",
    );
  });

  it("is told from others by its code", () => {
    const error = new SystemError(17, "mkdirat");
    expect([isSystemError(error), isSystemError(error, "ENOENT", "EEXIST"), isSystemError(error, "ENOENT")]).toEqual([
      true,
      true,
      false,
    ]);
    expect(isSystemError(new CleatError("NOT_FOUND", "layer is gone"))).toBe(false);
    expect(isSystemError({ syscall: "open", code: "ENOENT" })).toBe(false);
  });
});

describe("the translation of any failure", () => {
  it.each([
    ["a missing file", new SystemError(2, "open"), "NOT_FOUND"],
    ["a full disk", new SystemError(28, "write"), "RESOURCE_EXHAUSTED"],
    ["a quota", new SystemError(122, "write"), "RESOURCE_EXHAUSTED"],
    ["a missing ability", new SystemError(95, "fsetxattr"), "UNIMPLEMENTED"],
    ["damage", new SystemError(117, "read"), "DATA_LOSS"],
    ["a call that was interrupted", new SystemError(4, "read"), "UNAVAILABLE"],
    ["an errno nobody has classified", new SystemError(4000, "open"), "UNKNOWN"],
    ["Node's own", Object.assign(new Error("EPIPE"), { code: "EPIPE", syscall: "write", errno: -32 }), "UNAVAILABLE"],
    ["a request that was cut off", Object.assign(new Error("aborted"), { code: "ECONNRESET" }), "UNAVAILABLE"],
    ["an abort", AbortSignal.abort().reason, "CANCELLED"],
    ["a timeout", new DOMException("late", "TimeoutError"), "DEADLINE_EXCEEDED"],
    ["a slip of the program", new TypeError("x is not a function"), "INTERNAL"],
    ["Node's code of another kind", Object.assign(new Error("no"), { code: "ERR_INVALID_ARG_TYPE" }), "INTERNAL"],
    ["no error at all", "text", "UNKNOWN"],
    ["nothing", undefined, "UNKNOWN"],
  ])("gives %s a code", (_, failure, code) => {
    expect(toCleatError(failure)).toMatchObject({ code, name: "CleatError", cause: failure });
  });

  it("knows a refused connection", async () => {
    const failure = await new Promise((resolve) => connect("/no/such.sock").once("error", resolve));
    expect(toCleatError(failure).code).toBe("NOT_FOUND");
  });

  it.each(["UNKNOWN", "Unknown system error -122"])("names what Node calls %s", (code) => {
    const nodes = Object.assign(new Error(`${code}: unknown error, write`), { errno: -122, code, syscall: "write" });
    expect(toCleatError(nodes, 'layer "a"')).toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      message: 'layer "a": EDQUOT: disk quota exceeded, write',
    });
  });

  it("leaves an error of ours alone, and can put a subject before it", () => {
    const cause = new SystemError(13, "open", "/x");
    expect(toCleatError(cause, 'layer "a"').message).toBe("layer \"a\": EACCES: permission denied, open '/x'");
    const error = new UnsupportedError("driver", { needed: "x", probed: "y", seen: "z" });
    expect(toCleatError(error, "ignored")).toBe(error);
    expect(withSubject(error, "driver a")).toMatchObject({
      code: "UNIMPLEMENTED",
      message: "driver a: driver needs x: probed y, saw z",
      cause: error,
    });
  });
});

describe("errors that carry data", () => {
  const origin = { plugin: "p", method: "/GraphDriver.Get", httpStatus: 500 };
  it.each([
    [new RemoteError("NOT_FOUND", "gone", origin), 'plugin "p" answered /GraphDriver.Get with 500: gone'],
    [
      new SchemaError("INVALID_ARGUMENT", "request", [
        { path: "", problem: "is null" },
        { path: "ID", problem: "is a number" },
      ]),
      "request does not fit its schema: is null; ID: is a number",
    ],
    [new TransportError("UNAVAILABLE", "plugin is away", { reachedPeer: false }), "plugin is away"],
  ])("say it in their message: %s", (error, message) => {
    expect(error).toBeInstanceOf(CleatError);
    expect(error.message).toBe(message);
    expect(error.name).toBe(error.constructor.name);
  });
});

function failureOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}
