import * as fs from "node:fs";
import { beforeEach, expect, it, vi } from "vitest";

import type * as syscalls from "../../syscall/index.ts";
import { fsetxattr } from "../../syscall/index.ts";
import { nest, useScratch } from "../tree/trees.test.support.ts";
import { withFolderAt } from "../tree/with-folder.ts";
import { findOverlayFeatures } from "./overlay-features.ts";

/** A folder of a running container that vanishes, where there is one, between its opening and the reading of it. */
const vanishing = vi.hoisted(() => ({ path: "", inode: -1n }));
vi.mock("../../syscall/index.ts", async (importOriginal) => {
  const original = await importOriginal<typeof syscalls>();
  const readNames: typeof original.readNames = (descriptor) => {
    if (original.fstat(descriptor).inode === vanishing.inode) fs.rmdirSync(vanishing.path);
    return original.readNames(descriptor);
  };
  return { ...original, readNames };
});

const scratch = useScratch();
let root: string;
beforeEach(() => {
  root = scratch.folder("root");
  vanishing.inode = -1n;
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

it("goes on beside a folder that is taken away while it is looked at", () => {
  fs.mkdirSync(`${root}/a/m`, { recursive: true });
  fs.mkdirSync(`${root}/a/z`);
  fs.writeFileSync(`${root}/a/b`, "");
  mark(`${root}/a/b`, "metacopy");
  for (const path of [`${root}/a/m`, `${root}/a/z`]) {
    vanishing.path = path;
    vanishing.inode = fs.statSync(path, { bigint: true }).ino;
    expect(find()).toEqual({ redirects: false, metacopies: true });
    expect(fs.existsSync(path)).toBe(false);
  }
});

it("goes deeper than there is stack or descriptors", () => {
  nest(root, 3_000);
  mark(root, "redirect");
  const openBefore = fs.readdirSync("/proc/self/fd").length;
  expect(find()).toEqual({ redirects: true, metacopies: false });
  expect(fs.readdirSync("/proc/self/fd").length).toBe(openBefore);
});
