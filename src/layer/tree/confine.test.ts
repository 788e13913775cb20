import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { close, fstat, O_DIRECTORY, O_RDONLY, openPath } from "../../syscall/index.ts";
import { type OpenConfined, openByKernel, openByWalk, openConfinedFolder } from "./confine.ts";
import { failureOf, useScratch } from "./trees.test.support.ts";

const scratch = useScratch();

type Made = readonly [path: string, target: string | undefined];
const name = fc.constantFrom("a", "b", "c");
const part = fc.constantFrom("a", "b", "c", ".", "..", "");
const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/"));
const target = fc
  .oneof(
    path,
    path.map((text) => `/${text}`),
  )
  .filter((text) => text !== "");
const made: fc.Arbitrary<Made> = fc.tuple(
  fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/")),
  fc.option(target, { nil: undefined }),
);

/** Folders, and symlinks wherever their folder is there already; what cannot be made is left out. */
function makeTree(root: string, tree: readonly Made[]): void {
  fs.rmSync(root, { recursive: true, force: true });
  fs.mkdirSync(root, { recursive: true });
  for (const [at, to] of tree) {
    try {
      if (to === undefined) fs.mkdirSync(`${root}/${at}`);
      else fs.symlinkSync(to, `${root}/${at}`);
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toMatch(/^(EEXIST|ENOENT|ENOTDIR|ELOOP|ENAMETOOLONG)$/);
    }
  }
}

function inodeBy(open: OpenConfined, root: number, at: string): bigint | string {
  try {
    const descriptor = open(root, Buffer.from(at));
    const { inode } = fstat(descriptor);
    close(descriptor);
    return inode;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("a path out of an archive", () => {
  it("leads the kernel and the walk to the same folder, or both nowhere", () => {
    const root = scratch.path("outside/root");
    const seen = { found: 0, failed: 0 };
    fc.assert(
      fc.property(fc.array(made, { maxLength: 12 }), fc.array(path, { minLength: 3, maxLength: 3 }), (tree, paths) => {
        makeTree(root, tree);
        const inside = new Set([root, ...foldersBelow(root)].map((at) => fs.statSync(at, { bigint: true }).ino));
        const descriptor = openPath(root, O_RDONLY | O_DIRECTORY);
        for (const at of paths.filter((text) => text !== "")) {
          const byKernel = inodeBy(openByKernel, descriptor, at);
          expect(inodeBy(openByWalk, descriptor, at)).toBe(byKernel);
          if (typeof byKernel === "bigint") expect(inside).toContain(byKernel);
          seen[typeof byKernel === "bigint" ? "found" : "failed"]++;
        }
        close(descriptor);
      }),
      { numRuns: 250 },
    );
    expect(Math.min(seen.found, seen.failed)).toBeGreaterThan(20);
  });

  it.each([
    ["openat2", openByKernel],
    ["a walk", openByWalk],
  ])("may pass as many links as the kernel allows and no more, by %s", (_, open) => {
    const root = scratch.folder("root");
    fs.mkdirSync(`${root}/l0`);
    for (let link = 1; link <= 41; link++) fs.symlinkSync(`l${link - 1}`, `${root}/l${link}`);
    const descriptor = openPath(root, O_RDONLY | O_DIRECTORY);
    expect(inodeBy(open, descriptor, "l40")).toBe(fs.statSync(`${root}/l0`, { bigint: true }).ino);
    expect(inodeBy(open, descriptor, "l41")).toBe("ELOOP");
    close(descriptor);
  });

  it("is found while another process renames something elsewhere", async () => {
    const root = scratch.folder("root");
    fs.mkdirSync(`${root}/a/b`, { recursive: true });
    fs.symlinkSync("a/b/../b/../b/..", `${root}/l`);
    const elsewhere = scratch.folder("elsewhere");
    const code = `
      const { renameSync } = require("node:fs");
      const [a, b] = process.argv.slice(1);
      process.stdout.write("ready");
      for (;;) { renameSync(a, b); renameSync(b, a); }`;
    const child = spawn(process.execPath, ["-e", code, elsewhere, `${elsewhere}-renamed`]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const descriptor = openPath(root, O_RDONLY | O_DIRECTORY);
    const outcomes = new Set<bigint | string>();
    for (let round = 0; round < 10_000; round++) outcomes.add(inodeBy(openByKernel, descriptor, "l/b"));
    close(descriptor);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    expect([...outcomes]).toEqual([fs.statSync(`${root}/a/b`, { bigint: true }).ino]);
  });

  it("leaves no descriptor open, whether it leads somewhere or not", () => {
    const root = scratch.folder("root");
    fs.mkdirSync(`${root}/a/b`, { recursive: true });
    fs.symlinkSync("/a/b/../..", `${root}/a/b/up`);
    const descriptor = openPath(root, O_RDONLY | O_DIRECTORY);
    const openBefore = fs.readdirSync("/proc/self/fd").length;
    for (const open of [openByKernel, openByWalk, openConfinedFolder]) {
      for (const at of ["a/b/up/a/b", "a/b/missing/x", "a/b/../../../a"]) inodeBy(open, descriptor, at);
    }
    expect(fs.readdirSync("/proc/self/fd").length).toBe(openBefore);
    expect(failureOf(() => openConfinedFolder(-1, Buffer.from("a")))?.code).toBe("EBADF");
    close(descriptor);
  });
});

function foldersBelow(root: string): string[] {
  return fs
    .readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => [`${root}/${entry.name}`, ...foldersBelow(`${root}/${entry.name}`)]);
}
