import { expect, it } from "vitest";
import { toListedLayers } from "./list-layers.ts";

it("tells images from the two layers of a container, and from what may be either", () => {
  const ids = ["top", "c-init", "base", "c"];
  const parents = [
    ["c", "c-init"],
    ["c-init", "base"],
    ["top", "base"],
  ] as const;
  expect(toListedLayers(ids, parents)).toEqual([
    { id: "base", parent: undefined, kind: "image" },
    { id: "c", parent: "c-init", kind: "container" },
    { id: "c-init", parent: "base", kind: "init" },
    { id: "top", parent: "base", kind: "unknown" },
  ]);
});

it("names a parent that is gone", () => {
  expect(toListedLayers(["left"], [["left", "gone"]])).toEqual([{ id: "left", parent: "gone", kind: "unknown" }]);
});
