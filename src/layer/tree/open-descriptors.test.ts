import * as fs from "node:fs";
import { beforeEach, expect, it, vi } from "vitest";

import type * as syscalls from "../../syscall/index.ts";
import { applyLayer } from "../apply/apply.ts";
import { archiveOf, useScratch } from "./trees.test.support.ts";
import { withFolderAt } from "./with-folder.ts";

const descriptors = vi.hoisted(() => ({ open: 0, most: 0, opened: 0 }));
vi.mock("../../syscall/index.ts", async (importOriginal) => {
  const { countingDescriptors } = await import("./open-descriptors.test.support.ts");
  return countingDescriptors(await importOriginal<typeof syscalls>(), descriptors);
});

const scratch = useScratch();
beforeEach(() => {
  descriptors.open = descriptors.most = descriptors.opened = 0;
});

/** Applies one file so many folders deep, none of them announced, on layers that have them all. */
function applyDeep(layers: number, depth: number): { readonly most: number; readonly opened: number } {
  const path = "d/".repeat(depth);
  const lowers = Array.from({ length: layers }, (_, at) => {
    const lower = scratch.folder(`${layers}-${depth}-${at}`);
    fs.mkdirSync(`${lower}/${path}`, { recursive: true, mode: 0o700 });
    return lower;
  });
  const root = scratch.folder(`${layers}-${depth}`);
  const pieces = [archiveOf({ name: `${path}f` }, { name: `${path}.wh.x` })];
  const options = { whiteouts: { kind: "overlay", attributePrefix: "user." } as const, lowers, syncFiles: false };
  descriptors.open = descriptors.most = descriptors.opened = 0;
  withFolderAt(root, (folder) =>
    applyLayer({ read: () => pieces.pop() }, folder, { ...options, ids: { uids: [], gids: [] } }),
  );
  if (layers > 0) expect(fs.statSync(`${root}/${path}`).mode & 0o777).toBe(0o700);
  expect(descriptors.open).toBe(0);
  return { ...descriptors };
}

it("what is open at once grows neither with the layers below nor with the depth of a folder", () => {
  const [few, many, deep] = [applyDeep(1, 4), applyDeep(12, 4), applyDeep(12, 40)];
  expect(many.most).toBe(few.most);
  expect(deep.most).toBe(few.most);
  expect(few.most).toBeLessThan(12);
});

it("what is opened in all grows with the depth, not faster", () => {
  const once = applyDeep(2, 30).opened;
  expect(applyDeep(2, 90).opened).toBeLessThan(4 * once);
});

it("what is open at once does not grow with the depth of what an archive brings and hides", () => {
  const depths = [4, 40].map((depth) => {
    const root = scratch.folder(`hidden-${depth}`);
    const pieces = [archiveOf({ name: `${"d/".repeat(depth)}f` }, { name: ".wh..wh..opq" }, { name: ".wh.d" })];
    const options = { whiteouts: { kind: "delete" }, syncFiles: false, ids: { uids: [], gids: [] } } as const;
    descriptors.open = descriptors.most = descriptors.opened = 0;
    withFolderAt(root, (folder) => applyLayer({ read: () => pieces.pop() }, folder, options));
    expect(fs.existsSync(`${root}/${"d/".repeat(depth)}f`)).toBe(true);
    return descriptors.most;
  });
  expect(depths[1]).toBeLessThan((depths[0] as number) + 20);
});

it.each(["d/.wh..wh..opq", ".wh.d"])(
  "a folder that an archive brings is gone through once, however often %s",
  (name) => {
    const opened = [2, 50].map((markers) => {
      const root = scratch.folder(`${name.length}-${markers}`);
      const files = ["d/a/f", "d/b/f", "d/f"].map((path) => ({ name: path }));
      const pieces = [archiveOf(...files, ...Array.from({ length: markers }, () => ({ name })))];
      const options = { whiteouts: { kind: "delete" }, syncFiles: false, ids: { uids: [], gids: [] } } as const;
      descriptors.open = descriptors.most = descriptors.opened = 0;
      withFolderAt(root, (folder) => applyLayer({ read: () => pieces.pop() }, folder, options));
      expect(fs.readdirSync(`${root}/d`)).toEqual(["a", "b", "f"]);
      return descriptors.opened;
    });
    expect(opened[1]).toBe(opened[0]);
  },
);
