import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { removeTree } from "../tree/remove-tree.ts";
import { nest } from "../tree/trees.test.support.ts";
import { withFolderAt } from "../tree/with-folder.ts";
import { diskUsage } from "./disk-usage.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cleat-"));
});
afterEach(() => withFolderAt(tmpdir(), (folder) => removeTree(folder, root.slice(tmpdir().length + 1))));

/** What GNU du says, in bytes. */
function du(...options: string[]): number {
  return Number(execFileSync("du", ["-s", "--block-size=1", ...options, root], { encoding: "utf8" }).split("\t")[0]);
}

it("counts what du counts, hard links once, and no more of a sparse file than it takes", () => {
  for (const name of ["a", "a/b", "c"]) mkdirSync(join(root, name));
  writeFileSync(join(root, "a/file"), Buffer.alloc(10_000, 1));
  linkSync(join(root, "a/file"), join(root, "c/same"));
  writeFileSync(join(root, "a/b/sparse"), "");
  truncateSync(join(root, "a/b/sparse"), 1e9);
  symlinkSync("/", join(root, "c/link"));
  const usage = withFolderAt(root, diskUsage);
  expect(usage.allocatedBytes).toBe(du());
  expect(usage).toMatchObject({ apparentBytes: 10_000 + 1e9 + 1, entries: 7, complete: true });
});

it("goes deeper than a path can name", () => {
  const depth = 3_000;
  nest(root, depth);
  expect(withFolderAt(root, diskUsage)).toMatchObject({ entries: depth + 1, complete: true });
});

it("passes over, and says so, what an ordinary user may not read", () => {
  for (const [name, mode] of [
    ["closed", 0o000],
    ["listed", 0o444],
    ["open", 0o755],
  ] as const) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, "file"), "content");
    chmodSync(join(root, name), mode);
  }
  chmodSync(root, 0o755);
  const usage = withFolderAt(root, (folder) => asOrdinaryUser(() => diskUsage(folder)));
  expect(usage).toMatchObject({ apparentBytes: "content".length, entries: 5, complete: false });
});

function asOrdinaryUser<T>(visit: () => T): T {
  if (process.geteuid?.() !== 0) return visit();
  process.seteuid?.(65_534);
  try {
    return visit();
  } finally {
    process.seteuid?.(0);
  }
}
