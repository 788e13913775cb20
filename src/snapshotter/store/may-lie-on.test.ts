import { expect, it } from "vitest";
import type { SnapshotRecord } from "../records/record.ts";
import { createMayLieOn } from "./may-lie-on.ts";

const record = (id: number, kind: SnapshotRecord["kind"], parentId?: number) => ({ id, kind, parentId });
const all = [
  record(1, "committed"),
  record(2, "committed", 1),
  record(3, "active", 2),
  record(4, "active"),
  record(5, "view", 1),
];
const records = { byId: (id: number) => all.find((one) => one.id === id) as SnapshotRecord | undefined };
const rebase = async () => {};

it.each([
  ["a snapshot on its parent", 2, 1, true],
  ["a snapshot on another", 2, 3, false],
  ["a committed one without a parent", 1, 2, false],
  ["an active one on its parent", 3, 2, true],
  ["an active one on another", 3, 1, false],
  ["one that may have been laid on a parent, and not been written down", 4, 1, true],
  ["a place of a view, which has none", 5, 2, true],
  ["a place of nobody, which is to be deleted whatever it lies on", 6, 1, false],
])("tells whether %s may lie there", (_, other, id, expected) => {
  expect(createMayLieOn(records, { rebase })(other, id)).toBe(expected);
});

it("knows where a snapshot lies that cannot be laid elsewhere", () => {
  expect(createMayLieOn(records, {})(4, 1)).toBe(false);
});
