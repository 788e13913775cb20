import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { removeForGood, withFolderAt } from "../../layer/index.ts";
import { nest } from "../../layer/tree/trees.test.support.ts";
import type * as syscalls from "../../syscall/index.ts";
import { removeInPlace } from "./remove-subvolumes.ts";

const descriptors = vi.hoisted(() => ({ open: 0, most: 0, opened: 0 }));
vi.mock("../../syscall/index.ts", async (importOriginal) => {
  const { countingDescriptors } = await import("../../layer/tree/open-descriptors.test.support.ts");
  // On a file system of another kind any folder may have the number by which btrfs tells its subvolumes.
  const original = { ...(await importOriginal<typeof syscalls>()), isSubvolume: () => false };
  return countingDescriptors(original, descriptors);
});

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "cleat-remove-"));
});
afterEach(() => withFolderAt(dirname(home), (folder) => removeForGood(folder, basename(home))));

const remove = (name: string) => withFolderAt(home, (folder) => removeInPlace(folder, name));

it("removes what cannot be moved, however deep it lies, with few descriptors and little stack", () => {
  mkdirSync(`${home}/layer`);
  nest(`${home}/layer`, 1_500);
  mkdirSync(`${home}/layer/b`);
  for (const path of ["layer/b/f", "layer/g", "other"]) writeFileSync(`${home}/${path}`, "");
  descriptors.open = descriptors.most = 0;
  remove("layer");
  expect(descriptors.most).toBeLessThan(40);
  expect(readdirSync(home)).toEqual(["other"]);
});

it("removes a file, and what is not there", () => {
  writeFileSync(`${home}/layer`, "");
  remove("layer");
  remove("layer");
  expect(readdirSync(home)).toEqual([]);
});
