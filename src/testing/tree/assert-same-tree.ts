import { AssertionError } from "node:assert";
import { isDeepStrictEqual } from "node:util";
import type { Tree, TreeNode } from "./tree.ts";

const maxShown = 12;

/** Fails with what differs, name by name; a time that `expected` leaves out is not looked at. */
export function assertSameTree(actual: Tree, expected: Tree, subject: string): void {
  const paths = [...new Set([...actual.keys(), ...expected.keys()])].toSorted();
  const differences = paths.flatMap((path) => compareNodes(path, actual.get(path), expected.get(path)));
  if (differences.length === 0) return;
  const more = differences.length > maxShown ? [`… and ${differences.length - maxShown} more`] : [];
  throw new AssertionError({
    message: [`${subject} differs:`, ...differences.slice(0, maxShown), ...more].join("\n  "),
  });
}

function compareNodes(path: string, actual: TreeNode | undefined, expected: TreeNode | undefined): string[] {
  const shown = JSON.stringify(path);
  if (actual === undefined) return [`${shown} is missing`];
  if (expected === undefined) return [`${shown} (${actual.type}) should not be there`];
  if (actual.type !== expected.type) return [`${shown} is a ${actual.type}, expected a ${expected.type}`];
  const keys = [
    "mode",
    "uid",
    "gid",
    "sizeBytes",
    "contentHash",
    "target",
    "device",
    "mtimeNs",
    "xattrs",
    "names",
  ] as const;
  return keys
    .filter((key) => key !== "mtimeNs" || expected.mtimeNs !== undefined)
    .filter((key) => !isDeepStrictEqual(actual[key], expected[key]))
    .map((key) => `${shown} has ${key} ${show(key, actual[key])}, expected ${show(key, expected[key])}`);
}

function show(key: string, value: unknown): string {
  if (key === "mode") return `0${(value as number).toString(8)}`;
  return typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? "none");
}
