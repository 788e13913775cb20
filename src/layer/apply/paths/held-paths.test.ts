import { describe, expect, it } from "vitest";
import { createPathSet } from "../whiteouts/whiteout-maker.ts";
import { createHeldPaths } from "./held-paths.ts";
import { createMarkedPaths } from "./marked-paths.ts";

const refused = expect.objectContaining({
  code: "INVALID_ARGUMENT",
  message: expect.stringMatching(/more than 1000 bytes/),
}) as Error;

describe("what is kept of an archive", () => {
  it("is counted together, whoever keeps it", () => {
    const held = createHeldPaths(1_000);
    createPathSet(held).add("a".repeat(400));
    expect(() => createMarkedPaths(held).mark("b".repeat(800), true)).toThrow(refused);
  });

  it("is counted once, with each folder above", () => {
    const set = createPathSet(createHeldPaths(1_000));
    for (let turn = 0; turn < 100; turn++) set.add("a/b/c");
    for (let turn = 0; turn < 2; turn++) set.add(`a/${"x".repeat(600)}`);
    expect(() => set.add(`${"y".repeat(100)}/z`)).toThrow(refused);
    const marks = createMarkedPaths(createHeldPaths(1_000));
    for (let turn = 0; turn < 100; turn++) marks.mark("a", false);
  });

  it("costs each path more than its bytes, however short", () => {
    const set = createPathSet(createHeldPaths(1_000));
    expect(() => {
      for (let at = 0; at < 20; at++) set.add(String(at));
    }).toThrow(refused);
  });
});
