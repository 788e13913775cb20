import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fstat, statat } from "../../syscall/index.ts";
import { createFolderTrail, type FolderTrail } from "./folder-trail.ts";
import { withFolderAt } from "./with-folder.ts";

let root: string;
beforeEach(() => (root = fs.mkdtempSync(join(tmpdir(), "cleat-trail-"))));
afterEach(() => fs.rmSync(root, { recursive: true }));

const depth = 100;
const name = Buffer.from("d");
const openDescriptors = (): number => fs.readdirSync("/proc/self/fd").length;

function makeDeep(): void {
  fs.mkdirSync(`${root}/${"d/".repeat(depth)}`, { recursive: true });
}

/** Walks to the end and back, and calls `visit` at each step with how deep it stands. */
function walk(trail: FolderTrail, visit: (at: number) => void, at = 0): void {
  visit(at);
  if (at === depth) return;
  trail.within(name, () => walk(trail, visit, at + 1));
  visit(at);
}

it("stands where it should on the way down and on the way back, with few descriptors", () => {
  makeDeep();
  const before = openDescriptors();
  let most = 0;
  withFolderAt(root, (folder) => {
    const trail = createFolderTrail(folder);
    walk(trail, (at) => {
      most = Math.max(most, openDescriptors() - before);
      const inode = BigInt(fs.statSync(`${root}/${"d/".repeat(at)}`, { bigint: true }).ino);
      expect(BigInt(fstat(trail.current()).inode)).toBe(inode);
    });
  });
  expect(most).toBeLessThan(25);
  expect(openDescriptors()).toBe(before);
});

it("ends where a folder was moved out of the tree, and closes all", () => {
  makeDeep();
  const elsewhere = fs.mkdtempSync(join(tmpdir(), "cleat-trail-"));
  const before = openDescriptors();
  const move = (at: number): void => {
    if (at === depth) fs.renameSync(`${root}/${"d/".repeat(49)}d`, `${elsewhere}/d`);
  };
  try {
    expect(() => withFolderAt(root, (folder) => walk(createFolderTrail(folder), move))).toThrow("moved");
    expect(openDescriptors()).toBe(before);
  } finally {
    fs.rmSync(elsewhere, { recursive: true });
  }
});

it("closes all where a visit fails", () => {
  makeDeep();
  const before = openDescriptors();
  const fail = (at: number): void => {
    if (at === depth) throw new Error("on purpose");
  };
  expect(() => withFolderAt(root, (folder) => walk(createFolderTrail(folder), fail))).toThrow("on purpose");
  expect(openDescriptors()).toBe(before);
  expect(withFolderAt(root, (folder) => statat(folder, "d"))).toBeDefined();
});
