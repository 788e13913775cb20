import { expect, it } from "vitest";
import type { DescribedLayer, StoreDescription } from "./describe-store.ts";
import type { StoreFinding } from "../graphdriver/finding.ts";
import { findOrphansChildrenFirst, isRemovable } from "./orphans.ts";

const layer = (id: string, parent?: string): DescribedLayer => ({
  id,
  parent,
  parentage: parent === undefined ? "none" : "known",
  role: "unknown",
  condition: "whole",
  committed: false,
  mounts: [],
  holds: 0,
  names: [],
  orphaned: "unknown-to-engine",
});

const description: StoreDescription = {
  driver: "overlay2",
  home: "/h",
  layersHold: "diffs",
  engine: { engine: "docker", root: "/" },
  layers: [layer("a"), layer("b", "a"), layer("notes")],
};

it("removes none while there is a layer that may lie on it, whose files cannot be read", () => {
  const layers = [...description.layers, { ...layer("c"), condition: "unreadable" as const }];
  const orphans = findOrphansChildrenFirst({ ...description, layers }, []);
  expect(orphans).toHaveLength(4);
  expect(orphans.filter(isRemovable)).toEqual([]);
});

it("removes no layer before those that lie on it, nor what is not an orphan as it was told", () => {
  const left: StoreFinding = {
    kind: "half-made-layer",
    path: "notes",
    layer: "notes",
    problem: 'layer "notes" has no diff folder',
    obstacle: 'it holds "x", which is not the driver\'s',
  };
  const orphans = findOrphansChildrenFirst(description, [left]);
  expect(orphans.filter(isRemovable).map(({ layer: id }) => id)).toEqual(["b", "a"]);
});
