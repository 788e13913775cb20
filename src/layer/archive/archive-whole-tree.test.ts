import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { expect, it } from "vitest";

import { fsetxattr, lgetxattr, llistxattr } from "../../syscall/index.ts";
import { unpackTree } from "../apply/apply.ts";
import { useScratch } from "../tree/trees.test.support.ts";
import { withFolderAt } from "../tree/with-folder.ts";
import { archiveWholeTree } from "./archive-whole-tree.ts";

const scratch = useScratch();

/** Anybody who may write a file may give it such attributes, and none of them keeps the rest from being archived. */
const awkward = ["user.a=b", "user.=", "user.100%", "user.%3D", "user.%25", "user.new\nline"];

function setAll(path: string): void {
  const descriptor = fs.openSync(path, "r");
  for (const name of awkward) fsetxattr(descriptor, name, Buffer.from(`value of ${name}`));
  fs.closeSync(descriptor);
}

function dump(root: string): Record<string, string> {
  const paths = ["", "/d", "/d/f"].map((path) => `${root}${path}`);
  const found = paths.flatMap((path) => llistxattr(path).map((name) => [path, name] as const));
  return Object.fromEntries(
    found.map(([path, name]) => [`${path.slice(root.length)} ${name}`, String(lgetxattr(path, name))]),
  );
}

it("keeps extended attributes of any name, and is read by GNU tar and written by it", () => {
  const tree = scratch.folder("tree");
  fs.mkdirSync(`${tree}/d`);
  fs.writeFileSync(`${tree}/d/f`, "");
  for (const path of [tree, `${tree}/d`, `${tree}/d/f`]) setAll(path);
  expect(Object.keys(dump(tree)).length).toBe(3 * awkward.length);
  const file = scratch.path("archive.tar");
  const output = fs.openSync(file, "w");
  withFolderAt(tree, (root) => archiveWholeTree(root, { write: (bytes) => void fs.writeSync(output, bytes) }));
  fs.closeSync(output);

  const options = ["--xattrs", "--xattrs-include=*"];
  const byGnu = scratch.folder("by-gnu");
  execFileSync("tar", [...options, "-xf", file, "-C", byGnu]);
  expect(dump(byGnu)).toEqual(dump(tree));

  const gnus = execFileSync("tar", [...options, "--format=posix", "-cf", "-", "-C", tree, "."]);
  for (const archive of [fs.readFileSync(file), gnus]) {
    const made = scratch.folder(`made-${archive.length}`);
    const pieces = [archive];
    withFolderAt(made, (root) => unpackTree({ read: () => pieces.pop() }, root));
    expect(dump(made)).toEqual(dump(tree));
  }
});
