import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeFolders } from "./make-folders.ts";

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), "cleat-folders-"))));
afterEach(() => rmSync(root, { recursive: true }));

it("makes what is missing, and says which was the first", async () => {
  expect(await makeFolders(join(root, "a/b/c/"), 0o700)).toBe(join(root, "a"));
  expect(statSync(join(root, "a/b/c")).mode & 0o777).toBe(0o700);
  expect(await makeFolders(join(root, "a/b/c"))).toBeUndefined();
  expect(await makeFolders(join(root, "a/b/d"))).toBe(join(root, "a/b/d"));
  symlinkSync("a", join(root, "link"));
  expect(await makeFolders(join(root, "link"))).toBeUndefined();
});

it("names folders as its caller does, and goes where the kernel goes", async () => {
  const asked = relative(process.cwd(), join(root, "e/f"));
  expect(await makeFolders(asked)).toBe(dirname(asked)); // journals flush from there upwards
  await makeFolders(join(root, "g/h"));
  symlinkSync("g/h", join(root, "far"));
  await makeFolders(`${root}/far/../i/j`);
  expect([existsSync(join(root, "i")), existsSync(join(root, "g/i/j"))]).toEqual([false, true]);
  await makeFolders(`${root}/k/../l`);
  expect(existsSync(join(root, "l"))).toBe(true);
});

it("takes no file for a folder, and says so", async () => {
  writeFileSync(join(root, "file"), "");
  await expect(makeFolders(join(root, "file"))).rejects.toMatchObject({ code: "EEXIST" });
  await expect(makeFolders(join(root, "file/below"))).rejects.toMatchObject({ code: "ENOTDIR" });
});

it.skipIf(!existsSync("/proc/self"))("ends where nothing can be made, as in /proc", async () => {
  await expect(makeFolders("/proc/cleat/none")).rejects.toMatchObject({ code: "ENOENT" });
});
