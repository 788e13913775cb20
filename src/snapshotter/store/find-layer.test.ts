import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openJournalFiles } from "../../state/kit.ts";
import type { SnapshotRecord } from "../records/record.ts";
import { openRecords, type Records } from "../records/records.ts";
import { createSnapshotTable, layerIndexOf } from "./snapshot-table.ts";

let folder: string;
let records: Records;
const open = async () => void (records = await openRecords(await openJournalFiles(folder), { indexOf: layerIndexOf }));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-find-layer-"));
  await open();
});
afterEach(async () => {
  await records.close();
  await rm(folder, { recursive: true });
});

const record = (id: number, more: Partial<SnapshotRecord>): SnapshotRecord => ({
  id,
  name: `s${id}`,
  kind: "committed",
  parentId: undefined,
  createdNs: 1n,
  updatedNs: 1n,
  usage: undefined,
  labels: { "containerd.io/snapshot.ref": "layer" },
  ...more,
});
const find = (named: string, parentId?: number, missing: readonly number[] = []) =>
  createSnapshotTable(records, new Set(missing), true).findLayer(named, parentId)?.id;

it("finds a committed layer by its name on its parent, and what is left when it goes", async () => {
  await records.change({ put: [record(1, { kind: "active" })] });
  expect(find("layer")).toBeUndefined();
  await records.change({ put: [record(1, {}), record(2, {}), record(3, { parentId: 1 })] });
  expect(find("layer")).toBe(1);
  expect(find("layer", 1)).toBe(3);
  expect(find("layer", 2)).toBeUndefined();
  expect(find("layer", undefined, [1])).toBe(2);
  await records.change({ put: [record(1, { labels: { "containerd.io/snapshot.ref": "other" } })] });
  expect([find("layer"), find("other")]).toEqual([2, 1]);
  await records.change({ remove: [2] });
  expect(find("layer")).toBeUndefined();
});

it("finds what was there before, and forgets what was taken back", async () => {
  await records.change({ put: [record(1, {})] });
  await records.close();
  await open();
  expect(find("layer")).toBe(1);
  const refused = records.change({ put: [record(1, { labels: {} }), record(2, { name: "s1" })] });
  await expect(refused).rejects.toMatchObject({ code: "DATA_LOSS" });
  expect(find("layer")).toBe(1);
});
