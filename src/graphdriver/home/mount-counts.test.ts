import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createMountCounts } from "./mount-counts.ts";

describe("mount counts", () => {
  let folder: string;
  const open = (adopted: string[] = [], resume = false) =>
    createMountCounts({ adopted, resume, file: join(folder, "counts.json") });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cleat-counts-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("count from nothing, and never below", () => {
    const counts = open();
    expect([counts.decrement("a"), counts.increment("a"), counts.increment("a")]).toEqual([0, 1, 2]);
    expect([counts.decrement("a"), counts.decrement("a"), counts.decrement("a")]).toEqual([1, 0, 0]);
    expect(counts.held()).toEqual([]);
  });

  it("hold what is found mounted once, for an engine that starts anew", () => {
    const before = open();
    before.increment("a");
    before.increment("a");
    expect(open(["a", "b"]).count("a")).toBe(1);
  });

  it("go on where they were, for an engine that runs still", () => {
    const before = open();
    for (const id of ["a", "a", "a", "b", "gone", "gone"]) before.increment(id);
    before.decrement("a");
    const after = open(["a", "b"], true);
    expect([after.count("a"), after.count("b"), after.count("gone")]).toEqual([2, 1, 0]);
    expect([after.decrement("a"), after.decrement("a")]).toEqual([1, 0]);
    expect(open(["a"], true).count("a")).toBe(1);
  });

  it("fall back to one where the file is damaged", () => {
    writeFileSync(join(folder, "counts.json"), '{"version":1,"cou');
    expect(open(["a"], true).count("a")).toBe(1);
  });
});
