import * as fs from "node:fs";
import { beforeEach, expect, it } from "vitest";

import { fsetxattr } from "../../syscall/index.ts";
import { nest, useScratch } from "../tree/trees.test.support.ts";
import { withFolderAt } from "../tree/with-folder.ts";
import { findOverlayFeatures } from "./overlay-features.ts";

const scratch = useScratch();
let root: string;
beforeEach(() => {
  root = scratch.folder("root");
});

const mark = (path: string, name: string): void => {
  const descriptor = fs.openSync(path, "r");
  fsetxattr(descriptor, `user.overlay.${name}`, Buffer.from("x"));
  fs.closeSync(descriptor);
};
const find = () => withFolderAt(root, (folder) => findOverlayFeatures(folder, "user."));

it("finds folders that were redirected and files without content, wherever they lie", () => {
  fs.mkdirSync(`${root}/a/b/c`, { recursive: true });
  fs.mkdirSync(`${root}/d`);
  fs.writeFileSync(`${root}/d/f`, "");
  expect(find()).toEqual({ redirects: false, metacopies: false });
  mark(`${root}/d/f`, "metacopy");
  expect(find()).toEqual({ redirects: false, metacopies: true });
  mark(`${root}/a/b/c`, "redirect");
  expect(find()).toEqual({ redirects: true, metacopies: true });
});

it("goes deeper than there is stack or descriptors", () => {
  nest(root, 3_000);
  mark(root, "redirect");
  const openBefore = fs.readdirSync("/proc/self/fd").length;
  expect(find()).toEqual({ redirects: true, metacopies: false });
  expect(fs.readdirSync("/proc/self/fd").length).toBe(openBefore);
});
