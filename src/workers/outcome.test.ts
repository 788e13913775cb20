import { expect, it } from "vitest";
import { CleatError, SystemError, UnsupportedError } from "../errors/index.ts";
import { failedOutcome, reviveError } from "./outcome.ts";

/** Through what threads exchange. */
function acrossThreads(error: unknown): CleatError {
  const { failed } = structuredClone(failedOutcome(error));
  if (failed === undefined) throw new Error("the outcome is none of a failure");
  return reviveError(failed);
}

it("a missing ability is the same on the other side", () => {
  const missing = { reason: "prerequisites", needed: "root", probed: "geteuid(2)", seen: "1000" } as const;
  const error = acrossThreads(new UnsupportedError("overlay2", missing));
  expect(error).toBeInstanceOf(UnsupportedError);
  expect(error).toMatchObject({
    code: "UNIMPLEMENTED",
    message: "overlay2 needs root: probed geteuid(2), saw 1000",
    subject: "overlay2",
    reason: "prerequisites",
    missing,
  });
});

it("one of no stated reason is not supported", () => {
  const error = acrossThreads(new UnsupportedError("overlay2", { needed: "x", probed: "y", seen: "z" }));
  expect(error).toMatchObject({ reason: "not-supported" });
});

it.each([
  [new CleatError("NOT_FOUND", 'layer "a" does not exist'), "NOT_FOUND"],
  [new SystemError(28, "write"), "RESOURCE_EXHAUSTED"],
])("another failure keeps its code: %s", (thrown, code) => {
  expect(acrossThreads(thrown)).toMatchObject({ name: "CleatError", code, message: thrown.message });
});
