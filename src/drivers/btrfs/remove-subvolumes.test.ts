import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { removeForGood, withFolderAt } from "../../layer/index.ts";
import { close, mkdirat, O_RDONLY, openat, openPath } from "../../syscall/index.ts";
import type * as syscalls from "../../syscall/index.ts";
import { removeInPlace } from "./remove-subvolumes.ts";

const descriptors = vi.hoisted(() => ({ open: 0, most: 0 }));
vi.mock("../../syscall/index.ts", async (importOriginal) => {
  const original = await importOriginal<typeof syscalls>();
  const counting = <Args extends readonly unknown[]>(open: (...args: Args) => number) => {
    return (...args: Args): number => {
      const descriptor = open(...args);
      descriptors.open += 1;
      descriptors.most = Math.max(descriptors.most, descriptors.open);
      return descriptor;
    };
  };
  return {
    ...original,
    openat: counting(original.openat),
    openat2: counting(original.openat2),
    close(descriptor: number) {
      descriptors.open -= 1;
      original.close(descriptor);
    },
  };
});

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "cleat-remove-"));
});
afterEach(() => withFolderAt(dirname(home), (folder) => removeForGood(folder, basename(home))));

function nest(depth: number): void {
  let folder = openPath(home, O_RDONLY);
  for (let level = 0; level < depth; level++) {
    mkdirat(folder, "layer", 0o755);
    const below = openat(folder, "layer", O_RDONLY);
    close(folder);
    folder = below;
  }
  close(folder);
}

const remove = (name: string) => withFolderAt(home, (folder) => removeInPlace(folder, name));

it("removes what cannot be moved, however deep it lies, with few descriptors and little stack", () => {
  nest(1_500);
  mkdirSync(`${home}/layer/a`);
  for (const path of ["layer/a/f", "layer/g", "other"]) writeFileSync(`${home}/${path}`, "");
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
