/**
 * The journal of a snapshotter's records, damaged: refused and left as it is, or read, and then it takes a change and
 * keeps it.
 */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";

import { openRecords } from "#dist/snapshotter/records/records.js";
import { memoryFiles } from "../memory-files.mjs";

export { fixChecksums as repair } from "../memory-files.mjs";

export const codes = ["DATA_LOSS", "FAILED_PRECONDITION"];
export const dictionary = [
  '"put":[',
  '"remove":[1]',
  '"nextId":',
  '"seq":',
  '"lines":',
  '"kind":"active"',
  '"parent":1',
  "\n",
  "null",
  "-1",
  "1e99",
];

const line = (value) => {
  const text = JSON.stringify(value);
  return `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`;
};
const header = { format: "cleat-snapshots", version: 1, seq: 1, lines: 1 };
export const seeds = [...(await writtenSeeds()), line(header) + line({ seq: 1, changes: [] })];

export async function run(input) {
  const files = memoryFiles([["records", input]]);
  let records;
  try {
    records = await openRecords(files);
  } catch (error) {
    assert.ok(files.content("records").equals(input), "what was refused was changed");
    throw error;
  }
  const before = records.all();
  await records.change({ put: [record(await records.takeId(), `new-${before.length}`)] });
  const after = records.all();
  await records.close();
  const reopened = await openRecords(files);
  assert.deepEqual(reopened.all(), after);
  await reopened.close();
}

function record(id, name) {
  return { id, name, kind: "active", parentId: undefined, labels: {}, createdNs: 1n, updatedNs: 1n, usage: undefined };
}

async function writtenSeeds() {
  const files = memoryFiles([]);
  const records = await openRecords(files);
  for (const name of ["a", "b", "c"]) await records.change({ put: [record(await records.takeId(), name)] });
  await records.change({ remove: [1] });
  await records.close();
  return [files.content("records").toString("latin1")];
}
