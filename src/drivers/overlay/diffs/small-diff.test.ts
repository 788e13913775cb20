import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { archiveAtOnce, archiveSmallDiff, isSmallDiff } from "./layer-diff.ts";

const options = { ids: { uids: [], gids: [] }, archiveDialect: "docker-26", attributePrefix: "trusted." } as const;
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "cleat-small-diff-"));
  mkdirSync(`${home}/a/diff/folder`, { recursive: true });
  for (const name of ["one", "folder/two", "folder/three"]) writeFileSync(`${home}/a/diff/${name}`, name);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(home, { recursive: true });
});

/** A disk on which each look takes so long; how many there were. */
function takeEach(ms: number) {
  let nowMs = 0;
  return vi.spyOn(performance, "now").mockImplementation(() => (nowMs += ms));
}

it("is looked at no further than time goes: each entry may have to wait for the disk", () => {
  expect(isSmallDiff(home, "a", performance.now() + 60_000)).toBe(true);
  const looks = takeEach(10);
  expect(isSmallDiff(home, "a", 15)).toBe(false);
  expect(looks).toHaveBeenCalledTimes(2);
});

it("is archived no further than time goes, and else as without a limit", () => {
  const whole = archiveSmallDiff(home, "a", options);
  expect(whole?.length).toBeGreaterThan(2048);
  expect(archiveAtOnce(home, "a", options, performance.now() + 60_000)).toEqual(whole);
  const looks = takeEach(10);
  expect(archiveAtOnce(home, "a", options, 15)).toBeUndefined();
  expect(looks).toHaveBeenCalledTimes(2); // one before each entry: who has looked does not look again
  takeEach(10);
  expect(archiveAtOnce(home, "a", options, 60)).toEqual(whole);
});
