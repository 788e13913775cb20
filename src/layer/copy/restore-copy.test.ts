import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as fc from "fast-check";
import { expect, it } from "vitest";

import { fsetxattr } from "../../syscall/index.ts";
import { copyTree } from "./copy-tree.ts";
import { removeTree } from "../tree/remove-tree.ts";
import { restoreCopy, type RestoreOptions } from "./restore-copy.ts";
import { readTree, useScratch } from "../tree/trees.test.support.ts";
import { withFolderAt } from "../tree/with-folder.ts";

const scratch = useScratch();

/** Beside the many names that a change may meet, names with which a test can tell what was copied anew. */
const names = ["a", "b", "d", "d/a", "d/e", "d/e/a", "l", "new", "d/new", "d/e/new"] as const;
const name = fc.constantFrom(...names);

type Edit = readonly [what: keyof typeof edits, name: string, other: string];
const edits = {
  delete: (root, at) => fs.rmSync(`${root}/${at}`, { recursive: true, force: true }),
  write: (root, at) => fs.writeFileSync(`${root}/${at}`, "other"),
  replace: (root, at) => {
    fs.rmSync(`${root}/${at}`, { recursive: true });
    fs.mkdirSync(`${root}/${at}`);
  },
  mkdir: (root, at) => fs.mkdirSync(`${root}/${at}`),
  link: (root, at, other) => fs.linkSync(`${root}/${other}`, `${root}/${at}`),
  symlink: (root, at, other) => fs.symlinkSync(other, `${root}/${at}`),
  rename: (root, at, other) => fs.renameSync(`${root}/${other}`, `${root}/${at}`),
  chmod: (root, at) => fs.chmodSync(`${root}/${at}`, 0o711),
  utimes: (root, at) => fs.lutimesSync(`${root}/${at}`, 5, 5),
  mark: (root, at) => withFolderAt(`${root}/${at}`, (folder) => fsetxattr(folder, "user.mark", Buffer.from("x"))),
  markRoot: (root) => withFolderAt(root, (folder) => fsetxattr(folder, "user.mark", Buffer.from("x"))),
} satisfies Record<string, (root: string, at: string, other: string) => void>;

/** As `setfacl -m u::rwx,u:1000:rwx,g::-,m::rwx,o::-`. Source: `linux/posix_acl_xattr.h` v6.1. */
const list = Buffer.from(
  "0200000001000700ffffffff02000700e803000004000000ffffffff10000700ffffffff20000000ffffffff",
  "hex",
);

function fillOriginal(root: string, linked: boolean): void {
  fs.mkdirSync(`${root}/d/e`, { recursive: true });
  for (const file of ["a", "b", "d/a", "d/e/a"]) fs.writeFileSync(`${root}/${file}`, `content of ${file}`);
  fs.symlinkSync("d/a", `${root}/l`);
  if (linked) fs.linkSync(`${root}/b`, `${root}/d/b`);
  withFolderAt(`${root}/d/e`, (folder) => fsetxattr(folder, "user.kept", Buffer.from("y")));
  // What is made in it from here on gets a list.
  withFolderAt(`${root}/d`, (folder) => fsetxattr(folder, "system.posix_acl_default", list));
  for (const path of ["a", "d/e", "d", "."]) fs.utimesSync(`${root}/${path}`, 1000.5, 1000.5);
}

/** As the paths were when this was called: their inodes, and the time of their last change. */
function rememberCopy(root: string): RestoreOptions["isUntouched"] {
  const look = (path: string): string => {
    const { ino, ctimeNs } = fs.lstatSync(`${root}/${path}`, { bigint: true });
    return `${ino} ${ctimeNs}`;
  };
  const known = new Map(Object.keys(readTree(root)).map((path) => [path, look(path)]));
  const tick = scratch.path("tick");
  const stamp = (): number => {
    fs.writeFileSync(tick, "");
    return fs.statSync(tick).ctimeMs;
  };
  const now = stamp();
  while (stamp() === now); // what is changed from here on bears another time
  return (path) => known.get(path) === look(path);
}

function copy(from: string, to: string): void {
  withFolderAt(from, (source) => withFolderAt(to, (target) => copyTree(source, target)));
}

function restore(from: string, to: string, options: RestoreOptions): boolean {
  return withFolderAt(from, (source) => withFolderAt(to, (target) => restoreCopy(source, target, options)));
}

const readWithRoot = (root: string) => ({
  ...readTree(root),
  ".": readTree(`${root}/..`)[root.slice(root.lastIndexOf("/") + 1)],
});

it("is the copy again, whatever was changed in it, unless that had several names", () => {
  let round = 0;
  let given = 0;
  const edit: fc.Arbitrary<Edit> = fc.tuple(fc.constantFrom(...(Object.keys(edits) as Edit[0][])), name, name);
  const check = (linked: boolean, changes: readonly Edit[]): void => {
    round++;
    const [from, to] = [scratch.folder(`${round}/from`), scratch.folder(`${round}/to`)];
    fillOriginal(from, linked);
    copy(from, to);
    const isUntouched = rememberCopy(to);
    for (const [what, at, other] of changes) {
      try {
        edits[what](to, at, other);
      } catch {
        // What cannot be done to this tree.
      }
    }
    const restored = restore(from, to, { isUntouched, remove: removeTree, durable: false });
    if (!restored) given++;
    expect(restored || linked).toBe(true);
    const [{ ".": root, ...below }, { ".": rootBefore, ...before }] = [readWithRoot(to), readWithRoot(from)];
    if (restored) expect([root, below]).toEqual([rootBefore, before]);
  };
  fc.assert(fc.property(fc.boolean(), fc.array(edit, { maxLength: 6 }), check), { numRuns: 300 });
  expect(given).toBeLessThan(round / 3);
});

it("leaves what was not touched, and takes away the rest by one name each", () => {
  const [from, to] = [scratch.folder("from"), scratch.folder("to")];
  fillOriginal(from, false);
  copy(from, to);
  const isUntouched = rememberCopy(to);
  const before = fs.statSync(`${to}/d/e/a`);
  fs.mkdirSync(`${to}/new/deep`, { recursive: true });
  fs.writeFileSync(`${to}/b`, "other");
  const removed: string[] = [];
  const remove = (folder: number, base: Buffer): void => {
    removed.push(base.toString());
    removeTree(folder, base);
  };
  expect(restore(from, to, { isUntouched, remove, durable: true })).toBe(true);
  expect(removed).toEqual(["new", "b"]);
  expect(fs.statSync(`${to}/d/e/a`)).toMatchObject({ ino: before.ino, ctimeMs: before.ctimeMs });
  expect(fs.readFileSync(`${to}/b`, "utf8")).toBe("content of b");
});

it("copies no list with what it makes in folders that give one", () => {
  const [from, to] = [scratch.folder("from"), scratch.folder("to")];
  fs.mkdirSync(`${from}/d/e/g`, { recursive: true, mode: 0o755 });
  for (const file of ["d/f", "d/e/f", "d/e/g/f"]) fs.writeFileSync(`${from}/${file}`, file, { mode: 0o640 });
  execFileSync("mkfifo", ["-m", "622", `${from}/d/p`]);
  for (const path of ["d", "d/e"]) {
    withFolderAt(`${from}/${path}`, (folder) => fsetxattr(folder, "system.posix_acl_default", list));
  }
  copy(from, to);
  const isUntouched = rememberCopy(to);
  for (const path of ["d/f", "d/p", "d/e"]) fs.rmSync(`${to}/${path}`, { recursive: true });
  expect(restore(from, to, { isUntouched, remove: removeTree, durable: false })).toBe(true);
  expect(readWithRoot(to)).toEqual(readWithRoot(from));
});

it("takes nothing for untouched that has another size, time or owner, whatever the clock says", () => {
  const [from, to] = [scratch.folder("from"), scratch.folder("to")];
  fillOriginal(from, false);
  copy(from, to);
  const { atime, mtime } = fs.statSync(`${to}/a`);
  fs.writeFileSync(`${to}/a`, "a longer content of a");
  fs.utimesSync(`${to}/a`, atime, mtime);
  fs.writeFileSync(`${to}/b`, "other of b".padEnd("content of b".length));
  fs.utimesSync(`${to}/d/e`, 5, 5);
  if (process.getuid?.() === 0) for (const path of ["d", "d/a"]) fs.chownSync(`${to}/${path}`, 1000, 1000);
  // A clock that was set back gives what is changed a time from within the copy.
  expect(restore(from, to, { isUntouched: () => true, remove: removeTree, durable: false })).toBe(true);
  expect(readWithRoot(to)).toEqual(readWithRoot(from));
});
