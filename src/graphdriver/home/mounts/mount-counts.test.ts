import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

  it("are not begun anew where they cannot be read now", () => {
    const file = join(folder, "x".repeat(300));
    expect(() => createMountCounts({ adopted: ["a"], resume: true, file })).toThrow(/ENAMETOOLONG/);
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

  it.each(['{"version":1,"cou', '{"version":1,"counts":{"a":"2"}}', '{"version":1,"counts":{"a":-1}}'])(
    "fall back to one where the file is damaged: %s",
    (text) => {
      writeFileSync(join(folder, "counts.json"), text);
      expect(open(["a"], true).count("a")).toBe(1);
    },
  );

  it("hold layers of any name", () => {
    const before = open();
    before.increment("a");
    before.increment("a");
    expect(open(["constructor"], true).increment("constructor")).toBe(2);
  });

  describe("on a disk that is full", () => {
    /** What is written for the next process goes to a device that takes nothing. */
    function fill(): void {
      rmSync(join(folder, "counts.json.new"), { force: true });
      symlinkSync("/dev/full", join(folder, "counts.json.new"));
    }

    it("hold nothing once more", () => {
      const counts = open();
      counts.increment("a");
      fill();
      expect(() => counts.increment("a")).toThrow(expect.objectContaining({ code: "RESOURCE_EXHAUSTED" }));
      expect(counts.count("a")).toBe(1);
    });

    it("let go, so that layers can be given back and removed", () => {
      const counts = open();
      for (const id of ["a", "a", "b", "b"]) counts.increment(id);
      fill();
      expect(counts.decrement("a")).toBe(1);
      counts.forget("b");
      expect(counts.held()).toEqual(["a"]);
    });
  });
});
