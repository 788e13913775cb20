import { expect, it } from "vitest";

import { expectedChanges, expectedSizeBytes } from "./expected-changes.ts";
import type { Tree, TreeNode } from "./tree.ts";

const file = (more: Partial<TreeNode> = {}): TreeNode => ({
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  sizeBytes: 1,
  mtimeNs: 1n,
  xattrs: {},
  ...more,
});
const folder = (more: Partial<TreeNode> = {}): TreeNode => file({ type: "folder", sizeBytes: 0, ...more });
const tree = (nodes: Record<string, TreeNode>): Tree => new Map(Object.entries(nodes));

const before = tree({ d: folder(), "d/sub": folder(), "d/sub/f": file(), f: file() });

it.each([
  ["nothing", { d: folder({ mtimeNs: 9n }), "d/sub": folder(), "d/sub/f": file(), f: file() }, []],
  [
    "a time deep inside",
    { d: folder(), "d/sub": folder(), "d/sub/f": file({ mtimeNs: 2n }), f: file() },
    ["modified /d", "modified /d/sub", "modified /d/sub/f"],
  ],
  ["a folder gone", { d: folder(), f: file() }, ["modified /d", "deleted /d/sub"]],
  ["a folder become a file", { d: file(), f: file() }, ["modified /d"]],
  [
    "a file become a folder",
    { d: folder(), "d/sub": folder(), "d/sub/f": file(), f: folder(), "f/x": file() },
    ["modified /f", "added /f/x"],
  ],
  [
    "an attribute that no diff carries",
    { d: folder(), "d/sub": folder(), "d/sub/f": file(), f: file({ xattrs: { "user.x": "00" } }) },
    [],
  ],
  [
    "names that sort by bytes",
    { d: folder(), "d/sub": folder(), "d/sub/f": file(), "d-": file(), "d/a": file(), f: file() },
    ["modified /d", "added /d-", "added /d/a"],
  ],
])("lists what changed: %s", (_, after, changes) => {
  expect(expectedChanges(before, tree(after))).toEqual(changes);
});

it("counts the bytes of a file with several names once", () => {
  const names = ["a", "b"];
  const after = tree({ a: file({ sizeBytes: 5, names }), b: file({ sizeBytes: 5, names }), d: folder() });
  expect(expectedSizeBytes(tree({ d: folder() }), after)).toBe(5);
});
