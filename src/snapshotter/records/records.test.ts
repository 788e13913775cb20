import { expect, it } from "vitest";
import type { SnapshotRecord } from "./record.ts";
import { openRecords } from "./records.ts";
import { createSimulatedDisk } from "../../state/journal/simulated-disk.test.support.ts";

const record = (id: number, labels: SnapshotRecord["labels"]): SnapshotRecord => ({
  id,
  name: `s${id}`,
  kind: "active",
  parentId: undefined,
  labels,
  createdNs: 1n,
  updatedNs: 1n,
  usage: undefined,
});

it("keeps no more text than it may, and takes some again when other is gone", async () => {
  const records = await openRecords(createSimulatedDisk(), { maxTextLength: 20 });
  await records.change({ put: [record(1, { a: "1234567" }), record(2, { a: "123456" })] });
  const tooMuch = {
    code: "RESOURCE_EXHAUSTED",
    message: expect.stringContaining("longer than 20 characters together"),
  };
  await expect(records.change({ put: [record(3, {})] })).rejects.toMatchObject(tooMuch);
  await expect(records.change({ put: [record(2, { a: "1234567890" })] })).rejects.toMatchObject(tooMuch);
  expect([records.byId(3), records.byId(2)?.labels]).toEqual([undefined, { a: "123456" }]);
  await records.change({ put: [record(2, { a: "6543210" })] });
  await records.change({ remove: [1] });
  await records.change({ put: [record(3, {})] });
  await records.close();
});
