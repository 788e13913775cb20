import * as fc from "fast-check";
import { expect, it } from "vitest";

import { createPathTree } from "./path-tree.ts";

const paths = fc.array(fc.constantFrom("a", "b", "ab"), { maxLength: 4 }).map((names) => names.join("/"));
const isAbove = (above: string, path: string): boolean =>
  above === path || above === "" || path.startsWith(`${above}/`);

it("finds along a path what was noted on the way, and forgets what lies below one", () => {
  const steps = fc.array(fc.tuple(fc.constantFrom("set", "drop"), paths), { maxLength: 12 });
  fc.assert(
    fc.property(steps, paths, (done, asked) => {
      const tree = createPathTree<string>();
      const noted = new Map<string, string>();
      for (const [what, path] of done) {
        if (what === "set") {
          tree.set(path, path);
          noted.set(path, path);
        } else {
          tree.drop(path);
          for (const other of noted.keys()) if (isAbove(path, other)) noted.delete(other);
        }
      }
      const found: [string, number][] = [];
      tree.along(asked, (value, end) => found.push([value, end]) === 0);
      const expected = [...noted.keys()].filter((path) => isAbove(path, asked)).toSorted((a, b) => a.length - b.length);
      expect(found).toEqual(expected.map((path) => [path, path.length]));
      expect(tree.get(asked)).toBe(noted.get(asked));
    }),
  );
});

it("tells how many folders it did not know, and stops where it is told to", () => {
  const tree = createPathTree<number>();
  expect([tree.setLast("a/b", [3, 1]), tree.set("a/c", 2), tree.set("", 4), tree.set("a/c", 5)]).toEqual([2, 1, 0, 0]);
  const seen: number[] = [];
  expect(tree.along("a/b/x", (value) => seen.push(value) === 2)).toBe(true);
  expect(seen).toEqual([4, 3]);
  tree.clear();
  expect(tree.along("a/b", () => true)).toBe(false);
});
