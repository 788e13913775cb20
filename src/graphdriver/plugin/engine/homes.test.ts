import { mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { isSameHome, resolveHome } from "./homes.ts";

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "cleat-")));
  await mkdir(join(folder, "data/cleat"), { recursive: true });
  await mkdir(join(folder, "other/cleat"), { recursive: true });
  await symlink(join(folder, "data"), join(folder, "link"));
  await symlink("link", join(folder, "second-link"));
});
afterEach(() => rm(folder, { recursive: true }));

it.each([
  ["data/cleat", "data/cleat", true],
  ["data/cleat", "link/cleat", true],
  ["second-link/cleat/", "data//cleat/.", true],
  ["data/not/there/yet", "link/not/there/yet", true],
  ["data/cleat", "other/cleat", false],
  ["data/not", "other/not", false],
  ["data/cleat", "data", false],
])("%s and %s are one home: %s", (one, other, same) => {
  expect(isSameHome(join(folder, one), `${folder}/${other}`)).toBe(same);
});

it("a path that is not there keeps what is missing", () => {
  expect(resolveHome(join(folder, "link/a/b"))).toBe(join(folder, "data/a/b"));
  expect(resolveHome("/")).toBe("/");
});
